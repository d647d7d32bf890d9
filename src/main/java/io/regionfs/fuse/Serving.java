package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * Which request a thread is serving, so that it can be interrupted, and only while it serves that
 * one. Begun and ended by that thread, looked at by others.
 */
final class Serving {
  /** No request: the kernel's numbers begin at 2. */
  static final long NONE = 0;

  private final Thread thread;
  private volatile long unique = NONE;
  private volatile long since;

  /** Requests that it has begun, and one more once it takes none any more. */
  private final AtomicLong begun = new AtomicLong();

  @GuardedBy("this")
  private boolean interrupted;

  Serving(Thread thread) {
    this.thread = thread;
  }

  void begin(long request) {
    since = System.nanoTime();
    unique = request;
    var unused = begun.incrementAndGet();
  }

  /** There will be no more requests. */
  void leave() {
    var unused = begun.incrementAndGet();
  }

  /**
   * Whether what the thread may have received has become known.
   *
   * @return true for ever if it is serving a request now; else from when it begins the next, which
   *     it may have received already
   */
  BooleanSupplier received() {
    long seen = begun.get();
    return unique != NONE ? () -> true : () -> begun.get() != seen;
  }

  /** From here on no interrupt for the request arrives, and none is left behind. */
  void end() {
    synchronized (this) {
      unique = NONE;
      if (!interrupted) {
        return;
      }
      interrupted = false;
    }
    boolean unused = Thread.interrupted();
  }

  long unique() {
    return unique;
  }

  /** How long the current request has run, in nanoseconds; 0 if there is none. */
  long age() {
    long started = since;
    return unique == NONE ? 0 : Math.max(0, System.nanoTime() - started);
  }

  /** Interrupts the thread if it still serves this request. */
  synchronized void interrupt(long request) {
    if (unique == request && request != NONE) {
      interrupted = true;
      thread.interrupt();
    }
  }
}
