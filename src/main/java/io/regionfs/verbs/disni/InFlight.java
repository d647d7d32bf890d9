package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.verbs.TransferException.Reason;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The batches that a connection's device holds, in the order they were posted, which is the order
 * they complete in; and how much of the send queue they take. Guarded by its own monitor, which is
 * held only for a few instructions.
 */
final class InFlight {
  private final int depth;

  /** Of a batch with sequence number s at index s modulo the length; null once complete. */
  @GuardedBy("this")
  private final @Nullable DisniBatch[] ring;

  @GuardedBy("this")
  private long oldest;

  @GuardedBy("this")
  private long next;

  @GuardedBy("this")
  private int used;

  /** The thread that waits for room: at most one, the holder of the post lock. */
  private volatile @Nullable Thread roomWaiter;

  /**
   * @param depth work requests that the send queue holds, a power of two
   */
  InFlight(int depth) {
    this.depth = depth;
    this.ring = new DisniBatch[depth];
  }

  synchronized boolean hasRoom(int operations) {
    return used + operations <= depth && next - oldest < depth;
  }

  synchronized boolean isEmpty() {
    return oldest == next;
  }

  /** Who is woken when there may be room or the connection has ended. */
  void roomWaiter(@Nullable Thread thread) {
    roomWaiter = thread;
  }

  void wakeForRoom() {
    LockSupport.unpark(roomWaiter);
  }

  /** Takes the room of a batch; returns the id for its work requests. */
  synchronized long add(DisniBatch batch) {
    long sequence = next++;
    ring[(int) (sequence & (depth - 1))] = batch;
    used += batch.size();
    batch.state = DisniBatch.IN_FLIGHT;
    return sequence;
  }

  /**
   * Handles a completion with this id: a success completes the batch.
   *
   * @return the batch, or null if it had failed before
   */
  @Nullable DisniBatch completed(long sequence, boolean success) {
    DisniBatch batch;
    Thread waiter;
    synchronized (this) {
      int index = (int) (sequence & (depth - 1));
      batch = sequence >= oldest && sequence < next ? ring[index] : null;
      if (batch == null || !success) {
        return batch;
      }
      ring[index] = null;
      used -= batch.size();
      while (oldest < next && ring[(int) (oldest & (depth - 1))] == null) {
        oldest++;
      }
      waiter = batch.waiter;
    }
    batch.state = DisniBatch.DONE;
    if (waiter != Thread.currentThread()) {
      LockSupport.unpark(waiter);
    }
    wakeForRoom();
    return batch;
  }

  /** Somebody must lead: the waiter of the oldest batch that has one; heartbeats have none. */
  void wakeOldest() {
    Thread waiter = null;
    synchronized (this) {
      for (long sequence = oldest; sequence < next && waiter == null; sequence++) {
        DisniBatch batch = ring[(int) (sequence & (depth - 1))];
        waiter = batch == null ? null : batch.waiter;
      }
    }
    LockSupport.unpark(waiter);
  }

  /** After this nothing is in flight. The culprit fails with its own reason. */
  void failAll(@Nullable DisniBatch culprit, Reason reason, String detail) {
    synchronized (this) {
      for (; oldest < next; oldest++) {
        int index = (int) (oldest & (depth - 1));
        DisniBatch batch = ring[index];
        ring[index] = null;
        if (batch != null) {
          Thread waiter = batch.waiter;
          batch.reason = batch == culprit ? reason : Reason.DISCONNECTED;
          batch.detail = batch == culprit ? detail : "the connection ended: " + detail;
          batch.state = DisniBatch.FAILED;
          LockSupport.unpark(waiter);
        }
      }
      used = 0;
    }
    wakeForRoom();
  }
}
