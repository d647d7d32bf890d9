package io.regionfs.data;

import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.disni.AddressedDevice;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * A region that its home and two hosts change at once over an RDMA device, one of them by calls.
 */
@SuppressWarnings("MustBeClosedChecker") // each test closes its device
@Tag("rdma")
@EnabledIfSystemProperty(
    named = AddressedDevice.PROPERTY,
    matches = ".+",
    disabledReason = AddressedDevice.NONE)
class SharedRegionNativeTest extends SharedRegionTest.OfThreeHosts {
  SharedRegionNativeTest() throws IOException {
    super(new AddressedDevice(), Atomics.NONE);
  }
}
