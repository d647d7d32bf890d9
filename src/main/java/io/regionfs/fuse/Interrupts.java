package io.regionfs.fuse;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Brings the kernel's INTERRUPT (a signal for the calling process) to the thread that serves the
 * request. A request gets a second to end by itself: most do, and an operation that is cut short
 * must be paid for with a retry. Safe for use by many threads.
 */
final class Interrupts {
  /** How long a request may run undisturbed. */
  static final Duration GRACE = Duration.ofSeconds(1);

  private final ScheduledExecutorService clock;
  private final List<Serving> threads = new CopyOnWriteArrayList<>();

  /**
   * @param clock borrowed
   */
  Interrupts(ScheduledExecutorService clock) {
    this.clock = clock;
  }

  void add(Serving thread) {
    threads.add(thread);
  }

  void remove(Serving thread) {
    threads.remove(thread);
  }

  /**
   * @return false if no thread serves this request, or none has begun to
   */
  boolean interrupt(long request) {
    for (Serving thread : threads) {
      if (thread.unique() == request) {
        long delay = Math.max(0, GRACE.toNanos() - thread.age());
        Future<?> unused =
            clock.schedule(() -> thread.interrupt(request), delay, TimeUnit.NANOSECONDS);
        return true;
      }
    }
    return false;
  }

  /** Interrupts everything that is being served, at once. */
  void interruptAll() {
    for (Serving thread : threads) {
      thread.interrupt(thread.unique());
    }
  }

  /** How many requests have outlived {@link #GRACE}. */
  int slow() {
    int slow = 0;
    for (Serving thread : threads) {
      if (thread.age() > GRACE.toNanos()) {
        slow++;
      }
    }
    return slow;
  }
}
