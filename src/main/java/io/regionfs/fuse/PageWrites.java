package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * The pages of mappings that are coming back and are not saved yet. Before Linux 6.16 the kernel
 * drops a page without waiting for these: it sends a copy and takes the page for clean at once.
 *
 * <p>For many threads.
 */
final class PageWrites {
  private final Map<Long, Long> inodes = new ConcurrentHashMap<>();

  /** Where the kernel waits itself nothing is noted. */
  private volatile boolean noted;

  @GuardedBy("this")
  private int waiting;

  /** From now on requests are noted; before there are any. */
  void note() {
    noted = true;
  }

  /** A request that brings pages is being served. */
  void begin(long request, long inode) {
    if (noted) {
      inodes.put(request, inode);
    }
  }

  void end(long request) {
    if (noted) {
      inodes.remove(request);
      synchronized (this) {
        if (waiting > 0) {
          notifyAll();
        }
      }
    }
  }

  /**
   * Waits until those of a file that are being served now have ended. An interrupt is kept for
   * later.
   *
   * @return false if that takes longer than this
   */
  boolean await(long inode, Duration patience) {
    Set<Long> requests =
        inodes.entrySet().stream()
            .filter(entry -> entry.getValue() == inode)
            .map(Map.Entry::getKey)
            .collect(Collectors.toSet());
    return requests.isEmpty() || await(requests, System.nanoTime() + patience.toNanos());
  }

  private synchronized boolean await(Set<Long> requests, long deadline) {
    boolean interrupted = false;
    waiting++;
    try {
      while (requests.stream().anyMatch(inodes::containsKey)) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        try {
          TimeUnit.NANOSECONDS.timedWait(this, left);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      return true;
    } finally {
      waiting--;
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
