package io.regionfs.fuse;

import io.regionfs.fuse.ReplyLayout.Header;
import io.regionfs.fuse.ReplyLayout.InvalidInode;
import io.regionfs.posix.Memory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the kernel write back and drop pages that it keeps for mappings. When {@link #drop} returns
 * the changed ones have come as WRITE requests and were answered, and none is left.
 *
 * <p>Unlike {@link Notices} a message of this kind waits: for each page, until a READ that fills it
 * and a WRITE that saves it have been answered, and for a SETATTR of the file's size that is in
 * flight. So none of these may wait for whoever calls this, and no lock is held meanwhile that they
 * might take. It waits for no lock of an inode: OPEN, SETXATTR, SETLK and FALLOCATE may call it.
 *
 * <p>Before Linux 6.16 the message does not wait for WRITE requests that were sent before, so this
 * does: see {@link PageWrites}.
 *
 * <p>For many threads, as many messages at once. Each thread has its own memory for them.
 */
final class PageNotices implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PageNotices.class);
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Marks in {@link #state} that no message begins any more; the rest counts those in flight. */
  private static final int CLOSED = 1 << 30;

  /** What the kernel takes for: to the end of the file. */
  private static final long TO_THE_END = 0;

  /** After so many nudges a thread has had its own, unless it cannot run. */
  private static final int MANY_NUDGES = 64;

  private static final long PAUSE_NANOS = Duration.ofMillis(1).toNanos();

  private final FuseChannel channel;
  private final Runnable waiting;
  private final Supplier<BooleanSupplier> received;
  private final AtomicInteger state = new AtomicInteger();
  private final PageWrites writes = new PageWrites();

  /** Where the kernel does not wait for pages that are on their way. */
  private volatile @Nullable Nudge nudge;

  private final ThreadLocal<ByteBuffer> messages =
      ThreadLocal.withInitial(
          () -> ByteBuffer.allocateDirect(InvalidInode.END).order(ByteOrder.nativeOrder()));

  /**
   * @param channel borrowed: must outlive this
   * @param waiting called when the calling thread begins to wait for the answers to WRITE requests
   * @param received asked when all of some requests have been received; the answer is true once
   *     they are known to {@link #writes}
   */
  PageNotices(FuseChannel channel, Runnable waiting, Supplier<BooleanSupplier> received) {
    this.channel = channel;
    this.waiting = waiting;
    this.received = received;
  }

  PageWrites writes() {
    return writes;
  }

  /**
   * From now on this waits for pages that are on their way, as the kernel does from Linux 6.16 on.
   *
   * @param mountPoint of this filesystem, to ask it something
   */
  void awaitWritesAt(Path mountPoint) {
    writes.note();
    nudge = new Nudge(mountPoint);
  }

  /**
   * Does nothing once the mount is being closed.
   *
   * @param offset in bytes, not negative
   * @param length in bytes; whatever ends beyond 2^63 is: to the end
   */
  void drop(long inode, long offset, long length) {
    if (length <= 0 || !begin()) {
      return;
    }
    try {
      waiting.run();
      long message = Memory.addressOf(messages.get());
      Memory.putInt(message + Header.LENGTH, InvalidInode.END);
      Memory.putInt(message + Header.ERROR, Notices.INVAL_INODE);
      Memory.putLong(message + Header.UNIQUE, 0);
      Memory.putLong(message + InvalidInode.INODE, inode);
      Memory.putLong(message + InvalidInode.OFFSET, offset);
      Memory.putLong(
          message + InvalidInode.LENGTH, length > Long.MAX_VALUE - offset ? TO_THE_END : length);
      Notices.check(Notices.INVAL_INODE, channel.tell(message, InvalidInode.END));
      settle(inode);
    } finally {
      end();
    }
  }

  /**
   * Requests are given out in order: those that were sent before the nudge have been received when
   * that is answered. The threads that have them may not have told yet, and look just as those that
   * wait for a request; so all of these are nudged, until each has told of one. The kernel wakes
   * who has waited longest.
   */
  private void settle(long inode) {
    Nudge known = nudge;
    if (known == null) {
      return;
    }
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    known.ask();
    if (!channel.takesTurns()) {
      BooleanSupplier told = received.get();
      for (int asked = 1; !told.getAsBoolean() && !isOver(deadline); asked++) {
        if (asked % MANY_NUDGES == 0) {
          LockSupport.parkNanos(this, PAUSE_NANOS); // one that cannot run is in no hurry
        }
        known.ask();
      }
    }
    if (!writes.await(inode, deadline)) {
      LOG.warn("pages of inode {} were dropped and are not saved yet", inode);
    }
  }

  private boolean isOver(long deadline) {
    return state.get() >= CLOSED || System.nanoTime() - deadline > 0;
  }

  private boolean begin() {
    if (state.incrementAndGet() >= CLOSED) {
      end();
      return false;
    }
    return true;
  }

  private void end() {
    if (state.decrementAndGet() == CLOSED) {
      synchronized (this) {
        notifyAll();
      }
    }
  }

  /** Messages in flight. */
  int inFlight() {
    return state.get() & ~CLOSED;
  }

  /** From now on none begins; those in flight still need answers to their WRITE requests. */
  void stop() {
    state.updateAndGet(now -> now | CLOSED);
  }

  /** Waits for those in flight: the channel must not be closed under them. */
  @Override
  public synchronized void close() {
    stop();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    boolean interrupted = false;
    long left = PATIENCE.toNanos();
    while (inFlight() > 0 && left > 0) {
      try {
        TimeUnit.NANOSECONDS.timedWait(this, left);
      } catch (InterruptedException e) {
        interrupted = true;
      }
      left = deadline - System.nanoTime();
    }
    Nudge known = nudge;
    nudge = null;
    if (known != null && inFlight() == 0) {
      known.close();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
