package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.region.LentMemoryOptions;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.device.MemoryLock;
import io.regionfs.verbs.disni.Pinning;
import org.junit.jupiter.api.Test;

class PinBudgetTest {
  private static final long MIB = 1 << 20;
  private static final MemoryLock NONE = new MemoryLock(Long.MAX_VALUE, false);
  private static final MemoryLock SMALL = new MemoryLock(32 * MIB, false);

  private static DeviceLimits device(long registrations, boolean onDemand) {
    return new DeviceLimits(
        "d", 1, "RoCE", Atomics.NONE, registrations, 1 << 30, 1024, 4096, 16, 0, 4096, onDemand);
  }

  @Test
  void theSoftwareDeviceLocksNothing() {
    assertThat(PinBudget.of(1024 * MIB, null, Pinning.ON_DEMAND, SMALL))
        .isEqualTo(new PinBudget(1024 * MIB, LentMemoryOptions.DEFAULT_MAX_EXPOSURES));
  }

  @Test
  void halfOfWhatMayBeLockedIsLeftToTheNode() {
    DeviceLimits device = device(1_000_000, false);
    assertThat(PinBudget.of(1024 * MIB, device, Pinning.ON_DEMAND, SMALL).bytes())
        .isEqualTo(16 * MIB);
    assertThat(PinBudget.of(1024 * MIB, device, Pinning.ON_DEMAND, NONE).bytes())
        .isEqualTo(1024 * MIB);
    assertThat(PinBudget.of(MIB, device, Pinning.ON_DEMAND, NONE).bytes()).isEqualTo(64 * MIB);
    MemoryLock privileged = new MemoryLock(64 << 10, true);
    assertThat(PinBudget.of(1024 * MIB, device, Pinning.ON_DEMAND, privileged).bytes())
        .isEqualTo(1024 * MIB);
  }

  @Test
  void whatIsPagedOnDemandIsNotLocked() {
    DeviceLimits device = device(1_000_000, true);
    assertThat(PinBudget.of(1024 * MIB, device, Pinning.ON_DEMAND, SMALL).bytes())
        .isEqualTo(1024 * MIB);
    assertThat(PinBudget.of(1024 * MIB, device, Pinning.ALWAYS, SMALL).bytes()).isEqualTo(16 * MIB);
  }

  @Test
  void halfOfTheDevicesRegionsAreLeftToTheNode() {
    assertThat(PinBudget.of(MIB, device(100, false), Pinning.ON_DEMAND, NONE).registrations())
        .isEqualTo(50);
    assertThat(PinBudget.of(MIB, device(1, false), Pinning.ON_DEMAND, NONE).registrations())
        .isEqualTo(2);
  }
}
