package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is to take requests, where one thread polls for them. A holder that serves its
 * requests quickly keeps its turn meanwhile: to wake another thread costs more than the request.
 * Should one take longer, the next thread, which watches, takes the turn away; and while requests
 * take long on average each holder hands its turn over before it serves. So somebody takes requests
 * always, but for a moment of about {@link #PATIENCE_MILLIS}.
 *
 * <p>For many threads.
 */
final class ReadTurn {
  /** How long the holder may serve one request before its turn is taken away. */
  static final long PATIENCE_MILLIS = 1;

  /** What waking a thread costs, about: a request that takes longer is worth it. */
  private static final long QUICK_NANOS = 25_000;

  /** Every so many requests the holder keeps its turn even if it may take long, to measure. */
  private static final int PROBE_EVERY = 64;

  @GuardedBy("this")
  private @Nullable Thread holder;

  @GuardedBy("this")
  private int waiting;

  /** One of those that wait looks at the holder from time to time. */
  @GuardedBy("this")
  private boolean watched;

  /** The holder sleeps until there is a request. */
  @GuardedBy("this")
  private boolean asleep;

  @GuardedBy("this")
  private boolean serving;

  @GuardedBy("this")
  private long taken;

  @GuardedBy("this")
  private long takenAt;

  /** How long a request took lately, sliding. */
  @GuardedBy("this")
  private long averageNanos;

  /** Waits until it is the calling thread's turn. */
  synchronized void take() {
    Thread me = Thread.currentThread();
    if (holder == me) {
      averageNanos += (System.nanoTime() - takenAt - averageNanos) / 8;
    } else {
      while (holder != null) {
        await();
      }
      holder = me;
    }
    serving = false;
  }

  @GuardedBy("this")
  @SuppressWarnings("WaitNotInLoop") // take() loops
  private void await() {
    boolean watching = !watched && !asleep;
    long seen = taken;
    watched |= watching;
    waiting++;
    try {
      wait(watching ? PATIENCE_MILLIS : 0);
    } catch (InterruptedException e) {
      throw new IllegalStateException("an interrupt was left behind", e);
    } finally {
      waiting--;
      watched &= !watching;
    }
    if (watching && serving && taken == seen) {
      averageNanos += (PATIENCE_MILLIS * 1_000_000 - averageNanos) / 8;
      holder = null;
    }
  }

  /** The holder will sleep until there is a request: nobody needs to watch it. */
  synchronized void sleeps() {
    asleep = true;
  }

  /** The holder has a request and will serve it now. */
  synchronized void taken() {
    asleep = false;
    taken++;
    if (averageNanos > QUICK_NANOS && taken % PROBE_EVERY != 0) {
      holder = null;
      serving = false;
      notify();
      return;
    }
    serving = true;
    takenAt = System.nanoTime();
    if (waiting > 0 && !watched) {
      notify();
    }
  }

  /** The calling thread will not take requests any more. */
  synchronized void leave() {
    if (holder == Thread.currentThread()) {
      holder = null;
      serving = false;
      asleep = false;
      notify();
    }
  }
}
