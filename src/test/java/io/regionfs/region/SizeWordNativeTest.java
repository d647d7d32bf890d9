package io.regionfs.region;

import io.regionfs.verbs.disni.AddressedDevice;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** A size word that its home and another host change with an RDMA device. */
@SuppressWarnings("MustBeClosedChecker") // each test closes its device
@Tag("rdma")
@EnabledIfSystemProperty(
    named = AddressedDevice.PROPERTY,
    matches = ".+",
    disabledReason = AddressedDevice.NONE)
class SizeWordNativeTest extends SizeWordContract {
  SizeWordNativeTest() throws IOException {
    super(new AddressedDevice());
  }
}
