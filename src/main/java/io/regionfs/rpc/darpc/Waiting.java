package io.regionfs.rpc.darpc;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** How long a call waits: until its deadline, or until its caller has lost interest. */
record Waiting(long endNanos, BooleanSupplier abandoned) {
  /** How long a wait may last before it looks for interrupts, losses and lost interest. */
  static final int SLICE_MILLIS = 50;

  private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(SLICE_MILLIS);

  /** The time until it has to be asked again whether it {@link #isOver}. */
  long sliceNanos() {
    return Math.max(0, Math.min(endNanos - System.nanoTime(), SLICE_NANOS));
  }

  boolean isOver() {
    return endNanos - System.nanoTime() <= 0 || abandoned.getAsBoolean();
  }
}
