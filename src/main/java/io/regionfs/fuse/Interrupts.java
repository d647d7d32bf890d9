package io.regionfs.fuse;

import io.regionfs.model.Errno;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

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
  private final Map<Long, LockWait> waits = new ConcurrentHashMap<>();

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
    thread.leave();
  }

  /**
   * Whether every request is known that threads have received by now.
   *
   * @return true once it is so
   */
  BooleanSupplier received() {
    List<BooleanSupplier> left = new ArrayList<>();
    threads.forEach(thread -> left.add(thread.received()));
    return () -> {
      left.removeIf(BooleanSupplier::getAsBoolean);
      return left.isEmpty();
    };
  }

  /** The request waits for a lock from now on: an interrupt ends that at once. */
  void add(LockWait wait) {
    waits.put(wait.unique(), wait);
  }

  void remove(LockWait wait) {
    waits.remove(wait.unique());
  }

  /**
   * @return false if no thread serves this request, or none has begun to
   */
  boolean interrupt(long request) {
    if (interruptWait(request)) {
      return true;
    }
    for (Serving thread : threads) {
      if (thread.unique() == request) {
        long delay = Math.max(0, GRACE.toNanos() - thread.age());
        Future<?> unused =
            clock.schedule(() -> interrupt(thread, request), delay, TimeUnit.NANOSECONDS);
        return true;
      }
    }
    return false;
  }

  private void interrupt(Serving thread, long request) {
    thread.interrupt(request);
    boolean unused = interruptWait(request); // it may have begun to wait for a lock meanwhile
  }

  private boolean interruptWait(long request) {
    LockWait wait = waits.get(request);
    if (wait != null) {
      wait.interrupt(Errno.EINTR);
    }
    return wait != null;
  }

  /** As {@link #interrupt}, for a request that a thread may be about to begin. */
  void interruptLater(long request) {
    Future<?> unused =
        clock.schedule(() -> interrupt(request), GRACE.toMillis(), TimeUnit.MILLISECONDS);
  }

  /**
   * Interrupts everything that is being served, at once. There is no signal that would explain an
   * EINTR to who waits for a lock: the kernel would have it try again.
   */
  void interruptAll() {
    for (Serving thread : threads) {
      thread.interrupt(thread.unique());
    }
    waits.values().forEach(wait -> wait.interrupt(Errno.ENOTCONN));
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
