package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.posix.Memory;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.RegisteredMemory;
import io.regionfs.verbs.device.DeviceName;
import io.regionfs.verbs.disni.FabricRequest.Wish;
import io.regionfs.verbs.disni.FabricSelection.Device;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Which device serves, where there is one. */
@Tag("rdma")
@EnabledIfSystemProperty(
    named = NativeDeviceUnderTest.ADDRESS,
    matches = ".+",
    disabledReason = NativeDeviceUnderTest.NONE)
class FabricSelectionOnDeviceTest {
  private static final InetAddress ADDRESS = NativeDeviceUnderTest.address().getAddress();

  private static FabricSelection choose(
      Wish wish, @Nullable String device, @Nullable InetAddress address) throws IOException {
    DeviceName name = device == null ? null : DeviceName.parse(device);
    return FabricSelection.choose(
        new FabricRequest(wish, name, Pinning.ON_DEMAND), address, SoftDeviceOptions.defaults());
  }

  @Test
  void theDeviceThatOwnsTheAddressServes() throws IOException {
    FabricSelection chosen = choose(Wish.AUTO, null, ADDRESS);
    assertThat(chosen.device()).isEqualTo(Device.VERBS);
    assertThat(chosen.warning()).isEmpty();
    String name = new NativeDeviceUnderTest().name();
    assertThat(chosen.description())
        .startsWith("verbs " + name + ":1 ")
        .endsWith(" at " + ADDRESS.getHostAddress());
    assertThat(choose(Wish.AUTO, name + ":1", ADDRESS)).isEqualTo(chosen);
    assertThat(choose(Wish.VERBS, name, null).device()).isEqualTo(Device.VERBS);
  }

  @Test
  void whoeverInsistsGetsNothingElse() {
    assertThatThrownBy(() -> choose(Wish.VERBS, null, InetAddress.getLoopbackAddress()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no RDMA device serves 127.0.0.1");
    assertThatThrownBy(() -> choose(Wish.VERBS, null, InetAddress.getByName("192.0.2.1")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("no address of this host");
    assertThatThrownBy(() -> choose(Wish.AUTO, "nothing0", ADDRESS))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nothing0");
  }

  @Test
  void theLimitsAreThoseOfTheDeviceAndRegistrationsCount() throws IOException {
    int bytes = 8192;
    long address = Memory.allocate(bytes);
    try (Fabric fabric = choose(Wish.VERBS, null, ADDRESS).open()) {
      DeviceLimits limits = fabric.limits();
      NativeDeviceUnderTest device = new NativeDeviceUnderTest();
      assertThat(limits.device()).isEqualTo(device.name());
      assertThat(limits.registrations()).isEqualTo(device.limit(NativeVerbs.MAX_MR));
      assertThat(limits.workRequests()).isGreaterThan(128);
      assertThat(limits.mtu()).isGreaterThanOrEqualTo(256);
      assertThat(limits.inlineBytes()).isPositive();
      assertThat(limits.transport()).isEqualTo(device.isIwarp() ? "iWARP" : "RoCE");
      assertThat(fabric.trouble()).isEmpty();
      try (RegisteredMemory memory = fabric.register(address, bytes, Access.REMOTE_WRITE)) {
        assertThat(fabric.registrations()).isOne();
        assertThat(memory.length()).isEqualTo(bytes);
      }
      assertThat(fabric.registrations()).isZero();
      assertThatThrownBy(() -> registerUnmapped(fabric))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("could not be registered with device " + limits.device());
    } finally {
      Memory.free(address);
    }
  }

  private static void registerUnmapped(Fabric fabric) throws IOException {
    try (RegisteredMemory memory = fabric.register(4096, 4096, Access.REMOTE_WRITE)) {
      assertThat(memory).as("memory that is not mapped").isNull();
    }
  }
}
