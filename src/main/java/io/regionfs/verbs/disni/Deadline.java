package io.regionfs.verbs.disni;

/**
 * How long its owner waits. The clock is first read when somebody asks what is left, so that what
 * ends at once never reads it (a system call on some machines); a deadline may thus last a slice of
 * waiting longer. Used by one thread; set again for each wait.
 */
final class Deadline {
  /** Less than any transfer takes: what is left when a caller's own deadline has just passed. */
  private static final long LEAST_NANOS = 1_000;

  private long nanos;
  private long until;
  private boolean started;

  void set(long nanos) {
    this.nanos = nanos;
    started = false;
  }

  /** Without reading a clock: there never was time to wait. */
  boolean isHopeless() {
    return nanos < LEAST_NANOS;
  }

  /** Nanoseconds; zero or less when it has passed. */
  long left() {
    long now = System.nanoTime();
    if (!started) {
      started = true;
      until = now + nanos;
    }
    return until - now;
  }

  boolean hasPassed() {
    return left() <= 0;
  }

  /** How long to block until interrupts and the deadline are looked at again. */
  int sliceMillis() {
    long most = started ? left() : nanos;
    return (int) Math.max(1, Math.min((most + 999_999) / 1_000_000, CmEvents.SLICE_MILLIS));
  }
}
