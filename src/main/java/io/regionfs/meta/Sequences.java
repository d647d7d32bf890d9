package io.regionfs.meta;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.BitSet;

/**
 * Numbers the commands of a client. The service keeps the answers of the last few thousand; so no
 * number is given while one that is {@link #WINDOW} smaller is under way.
 */
final class Sequences {
  /** At most what the service keeps per client. */
  static final int WINDOW = 1024;

  /** Of the numbers after {@link #acknowledged}: which have ended; bit 0 is the first of them. */
  @GuardedBy("this")
  private BitSet ended = new BitSet(WINDOW);

  @GuardedBy("this")
  private long acknowledged;

  @GuardedBy("this")
  private long last;

  /** The next number; waits while too many are under way. Must be followed by {@link #end}. */
  synchronized long begin() throws InterruptedException {
    while (last - acknowledged >= WINDOW) {
      wait();
    }
    return ++last;
  }

  /** Nobody will ask for the answer of this number any more. */
  synchronized void end(long sequence) {
    ended.set((int) (sequence - acknowledged - 1));
    int done = ended.nextClearBit(0);
    if (done > 0) {
      ended = ended.get(done, WINDOW);
      acknowledged += done;
      notifyAll();
    }
  }

  /** All numbers up to this one have ended. */
  synchronized long acknowledged() {
    return acknowledged;
  }
}
