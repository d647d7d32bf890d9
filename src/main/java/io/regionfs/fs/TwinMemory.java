package io.regionfs.fs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Memory for twins: so many pages and no more. For any thread. */
final class TwinMemory implements AutoCloseable {
  static final int PAGE_BYTES = PageSlab.PAGE_BYTES;

  private final int mostPages;

  @GuardedBy("this")
  private @Nullable PageSlab slab;

  @GuardedBy("this")
  private int usedPages;

  @GuardedBy("this")
  private boolean closed;

  TwinMemory(long bytes) {
    mostPages = (int) Math.min(bytes / PAGE_BYTES, Integer.MAX_VALUE);
  }

  /**
   * As many pages as there are, and as there is room for: uninitialised.
   *
   * @param pages where their addresses go, from an index on
   * @return the index after the last
   */
  synchronized int take(long[] pages, int from) {
    int end = from + Math.min(pages.length - from, mostPages - usedPages);
    if (end > from && slab == null) {
      slab = PageSlab.create(mostPages);
    }
    for (int i = from; i < end && slab != null; i++) {
      pages[i] = slab.take();
    }
    usedPages += end - from;
    return end;
  }

  /** Whether some were given back in time. */
  synchronized boolean awaitSome(long deadlineNanos) {
    while (usedPages >= mostPages) {
      long left = deadlineNanos - System.nanoTime();
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
    return true;
  }

  /**
   * @param pages addresses; zeros are passed over
   */
  synchronized void give(long[] pages) {
    for (long page : pages) {
      if (page != 0 && slab != null) {
        slab.give(page);
        usedPages--;
      }
    }
    notifyAll();
    end();
  }

  /** Gives the memory back that has not been needed since this was called before. */
  void trim() {
    for (int chunks = unneeded(); chunks > 0; chunks--) {
      releaseOne();
    }
  }

  private synchronized int unneeded() {
    return slab == null ? 0 : slab.unneeded();
  }

  private synchronized void releaseOne() {
    if (slab != null) {
      slab.releaseOne();
    }
  }

  /** Bytes of memory that are held, whether they are used or not. */
  synchronized long heldBytes() {
    return slab == null ? 0 : slab.heldBytes();
  }

  synchronized int usedPages() {
    return usedPages;
  }

  /** Whether some should be given back before they are needed. */
  synchronized boolean isShort() {
    return usedPages > mostPages - Math.max(1, mostPages / 8);
  }

  /**
   * Twins that there are stay valid, and files may be read on: memory goes with the last of them.
   */
  @Override
  public synchronized void close() {
    closed = true;
    end();
  }

  @GuardedBy("this")
  private void end() {
    if (closed && usedPages == 0 && slab != null) {
      slab.close();
      slab = null;
    }
  }
}
