package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import java.io.IOException;
import java.net.InetAddress;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Over an RDMA device. */
@Tag("rdma")
@EnabledIfSystemProperty(
    named = RdmaUnderTest.ADDRESS,
    matches = ".+",
    disabledReason = RdmaUnderTest.NONE)
class ConnectionLifeNativeTest extends ConnectionLifeContract {
  @Override
  InetAddress address() {
    return RdmaUnderTest.address();
  }

  @Override
  @MustBeClosed
  DisniFabric open(Pulse pulse) throws IOException {
    return DisniFabric.open(address(), "under test", Pinning.ALWAYS, pulse);
  }
}
