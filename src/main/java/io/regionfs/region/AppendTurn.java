package io.regionfs.region;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * Who may append to a region: one at a time, a local thread for the time of its copy, or another
 * host that has reserved a range. A host that dies holding it loses it after five seconds. Other
 * writes may move the end meanwhile, they do not wait.
 */
final class AppendTurn {
  private static final long HELD_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** A range at the end that a host is about to fill; the epoch tells whether a shrink cut it. */
  record Reservation(long token, long offset, long length, int epoch) {}

  @GuardedBy("this")
  private boolean taken;

  /** The token of the reservation that has the turn, or 0. */
  @GuardedBy("this")
  private long token;

  /** Starts anywhere, so that no token of a former process is taken for one of this. */
  @GuardedBy("this")
  private long lastToken = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE / 2);

  @GuardedBy("this")
  private Reservation reserved = new Reservation(0, 0, 0, 0);

  @GuardedBy("this")
  private long takenAtNanos;

  /**
   * Waits for the turn.
   *
   * @throws FsException EINTR when interrupted
   */
  synchronized void enter() {
    try {
      while (!tryEnter()) {
        long left = token == 0 ? HELD_NANOS : takenAtNanos + HELD_NANOS - System.nanoTime();
        TimeUnit.NANOSECONDS.timedWait(this, Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
      }
    } catch (InterruptedException e) {
      throw new FsException(Errno.EINTR, "interrupted while others append", e);
    }
  }

  /** Takes the turn if nobody has it; a local holder calls {@link #leave}. */
  synchronized boolean tryEnter() {
    boolean expired = token != 0 && System.nanoTime() - takenAtNanos >= HELD_NANOS;
    if (taken && !expired) {
      return false;
    }
    taken = true;
    token = 0;
    return true;
  }

  synchronized void leave() {
    taken = false;
    token = 0;
    notifyAll();
  }

  /** Makes the turn just taken a reservation. */
  synchronized Reservation reserve(long offset, long length, int epoch) {
    token = ++lastToken;
    takenAtNanos = System.nanoTime();
    reserved = new Reservation(token, offset, length, epoch);
    return reserved;
  }

  /**
   * Takes the turn back from its holder, who then calls {@link #leave}.
   *
   * @throws FsException EAGAIN if it has lost it
   */
  synchronized Reservation resume(long holder) {
    if (token == 0 || token != holder) {
      throw new FsException(Errno.EAGAIN, "the reserved range was given up: append again");
    }
    token = 0;
    return reserved;
  }
}
