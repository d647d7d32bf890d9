package io.regionfs.data;

import io.regionfs.verbs.disni.AddressedDevice;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Regions of another host, over an RDMA device. */
@SuppressWarnings("MustBeClosedChecker") // each test closes its device
@Tag("rdma")
@EnabledIfSystemProperty(
    named = AddressedDevice.PROPERTY,
    matches = ".+",
    disabledReason = AddressedDevice.NONE)
class RemoteRegionNativeTest extends RemoteRegionTest.OverTheFabric {
  RemoteRegionNativeTest() throws IOException {
    super(new AddressedDevice());
  }
}
