package io.regionfs.region;

import java.util.concurrent.atomic.AtomicLong;

/** A number of bytes that may be in use at once. Lock-free. */
final class Budget {
  private final long limitBytes;
  private final AtomicLong used = new AtomicLong();

  Budget(long limitBytes) {
    this.limitBytes = limitBytes;
  }

  long limitBytes() {
    return limitBytes;
  }

  long usedBytes() {
    return used.get();
  }

  /** Takes the bytes, or none of them if they would go over the limit. */
  boolean tryReserve(long bytes) {
    long before = used.get();
    while (bytes <= limitBytes - before) {
      long seen = used.compareAndExchange(before, before + bytes);
      if (seen == before) {
        return true;
      }
      before = seen;
    }
    return false;
  }

  /**
   * Counts bytes that are in use already, such as those found after a restart: the limit may be
   * passed, and then nothing can be reserved until enough is released. Negative if they are found
   * to be fewer.
   */
  void count(long bytes) {
    used.addAndGet(bytes);
  }

  void release(long bytes) {
    if (used.addAndGet(-bytes) < 0) {
      throw new IllegalStateException("more bytes released than reserved: " + bytes);
    }
  }
}
