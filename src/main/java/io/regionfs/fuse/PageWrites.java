package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.fuse.RequestLayout.Write;
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

  /** A request was received. */
  void begin(Request request) {
    if (noted && bringsPages(request)) {
      inodes.put(request.unique(), request.node().value());
    }
  }

  private static boolean bringsPages(Request request) {
    return request.length() >= Write.DATA
        && request.opcode() == Opcode.WRITE
        && (request.int32(Write.WRITE_FLAGS) & Write.FROM_CACHE) != 0;
  }

  /** That request was served, whatever it was. */
  void end(long request) {
    if (noted && inodes.remove(request) != null) {
      synchronized (this) {
        if (waiting > 0) {
          notifyAll();
        }
      }
    }
  }

  /**
   * Waits until those of a file that were received by now have ended. An interrupt is kept for
   * later.
   *
   * @param deadline by {@link System#nanoTime}
   * @return false if that takes longer
   */
  boolean await(long inode, long deadline) {
    Set<Long> requests =
        inodes.entrySet().stream()
            .filter(entry -> entry.getValue() == inode)
            .map(Map.Entry::getKey)
            .collect(Collectors.toSet());
    return requests.isEmpty() || await(requests, deadline);
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
