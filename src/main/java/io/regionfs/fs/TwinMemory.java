package io.regionfs.fs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.posix.Memory;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Memory for twins: pages of the C heap, so many and no more. For any thread. */
final class TwinMemory {
  static final int PAGE_BYTES = 4096;

  private final long mostPages;

  @GuardedBy("this")
  private long usedPages;

  TwinMemory(long bytes) {
    mostPages = bytes / PAGE_BYTES;
  }

  /**
   * One page, uninitialised; 0 if there was none in time.
   *
   * @param patience how long to wait for one
   */
  long take(Duration patience) {
    return reserve(patience) ? Memory.allocate(PAGE_BYTES) : 0;
  }

  private synchronized boolean reserve(Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    while (usedPages >= mostPages) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    usedPages++;
    return true;
  }

  void give(long page) {
    Memory.free(page);
    synchronized (this) {
      usedPages--;
      notifyAll();
    }
  }

  synchronized long usedPages() {
    return usedPages;
  }

  /** Whether some should be given back before they are needed. */
  synchronized boolean isShort() {
    return usedPages > mostPages / 4 * 3;
  }
}
