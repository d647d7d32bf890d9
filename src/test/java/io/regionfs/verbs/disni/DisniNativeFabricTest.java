package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricContract;
import java.io.IOException;
import java.net.InetAddress;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The fabric over an RDMA device. */
@Tag("rdma")
@EnabledIfSystemProperty(
    named = RdmaUnderTest.ADDRESS,
    matches = ".+",
    disabledReason = RdmaUnderTest.NONE)
class DisniNativeFabricTest extends FabricContract {
  @Override
  @MustBeClosed
  protected Fabric open(InetAddress address) throws IOException {
    return DisniFabric.open(address, "under test", Pinning.ALWAYS);
  }

  @Override
  protected InetAddress address() {
    return RdmaUnderTest.address();
  }
}
