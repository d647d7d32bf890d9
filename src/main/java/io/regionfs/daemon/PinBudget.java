package io.regionfs.daemon;

import io.regionfs.region.LentMemoryOptions;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.device.MemoryLock;
import io.regionfs.verbs.disni.Pinning;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * How much of the lent memory may be registered with the device at a time: what the device and the
 * limit of locked memory allow, less as much again for the node's own buffers and connections.
 *
 * @param registrations pieces
 */
record PinBudget(long bytes, int registrations) {
  /** Pieces of a useful size fit even if little is lent. */
  private static final long LEAST_BYTES = 64L << 20;

  private static final int PAGE_BYTES = 4096;

  static PinBudget of(long lentBytes, @Nullable DeviceLimits device, Pinning pinning)
      throws IOException {
    return of(lentBytes, device, pinning, MemoryLock.ofThisProcess());
  }

  /**
   * @param device null: the software device, which locks nothing
   */
  static PinBudget of(
      long lentBytes, @Nullable DeviceLimits device, Pinning pinning, MemoryLock lock) {
    long wanted = Math.max(lentBytes, LEAST_BYTES);
    if (device == null) {
      return new PinBudget(wanted, LentMemoryOptions.DEFAULT_MAX_EXPOSURES);
    }
    boolean locks = !(device.onDemandPaging() && pinning == Pinning.ON_DEMAND);
    long lockable = locks ? lock.lockableBytes() / 2 : Long.MAX_VALUE;
    long registrations =
        Math.min(LentMemoryOptions.DEFAULT_MAX_EXPOSURES, device.registrations() / 2);
    return new PinBudget(
        Math.max(2 * PAGE_BYTES, Math.min(wanted, lockable)), (int) Math.max(2, registrations));
  }
}
