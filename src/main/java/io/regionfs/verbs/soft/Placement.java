package io.regionfs.verbs.soft;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * Held while bytes move into memory, so that none moves any more once a connection's failure has
 * been reported. Taken within the queue pair's transmit lock, or alone.
 */
final class Placement {
  private final BooleanSupplier alive;
  private final ReentrantLock lock = new ReentrantLock();

  /**
   * @param alive whether bytes may still move
   */
  Placement(BooleanSupplier alive) {
    this.alive = alive;
  }

  /**
   * Begins to move bytes into memory, until {@link #end}; false if it isn't registered any more.
   */
  @SuppressWarnings("LockNotBeforeTry") // held on return
  boolean begin(Segments into, int from, int to) {
    lock.lock();
    if (alive.getAsBoolean()) {
      int entered = from;
      while (entered < to) {
        SoftMemoryRegion region = into.region[entered];
        if (region != null && !region.enter()) {
          break;
        }
        entered++;
      }
      if (entered == to) {
        return true;
      }
      leave(into, from, entered);
    }
    lock.unlock();
    return false;
  }

  void end(Segments into, int from, int to) {
    leave(into, from, to);
    lock.unlock();
  }

  private static void leave(Segments into, int from, int to) {
    for (int i = from; i < to; i++) {
      SoftMemoryRegion region = into.region[i];
      if (region != null) {
        region.exit();
      }
    }
  }

  /** Waits until the bytes that are moving have moved; none will follow. */
  void awaitEnd() {
    lock.lock();
    try {
      // Whoever comes next sees the new state.
    } finally {
      lock.unlock();
    }
  }
}
