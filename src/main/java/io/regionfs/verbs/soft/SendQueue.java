package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvSendWR;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The send queue as a ring: requests from {@code head} to {@code next} are under way, from {@code
 * next} to {@code tail} they wait to be sent. Guarded by the queue pair's transmit lock, but for
 * the count of slots.
 */
final class SendQueue {
  /** A posted work request. */
  static final class Request {
    long workRequest;
    int opcode;
    boolean signalled;
    boolean fenced;
    boolean solicited;
    int bytes;
    int immediate;
    long remoteAddress;
    int remoteKey;
    long operand;
    long swap;

    /** Why it fails when its turn comes, or SUCCESS. */
    int localError;

    /** Its place among all that this side sends. */
    long stamp;

    final Segments segments;

    Request(int maxSegments) {
      segments = new Segments(maxSegments);
    }

    boolean isRead() {
      return opcode == IbvSendWR.IBV_WR_RDMA_READ || isAtomic();
    }

    boolean isAtomic() {
      return opcode == IbvSendWR.IBV_WR_ATOMIC_CMP_AND_SWP
          || opcode == IbvSendWR.IBV_WR_ATOMIC_FETCH_AND_ADD;
    }

    boolean hasImmediate() {
      return opcode == IbvSendWR.IBV_WR_RDMA_WRITE_WITH_IMM
          || opcode == IbvSendWR.IBV_WR_SEND_WITH_IMM;
    }

    boolean isSend() {
      return opcode == IbvSendWR.IBV_WR_SEND || opcode == IbvSendWR.IBV_WR_SEND_WITH_IMM;
    }

    boolean needsReceive() {
      return isSend() || opcode == IbvSendWR.IBV_WR_RDMA_WRITE_WITH_IMM;
    }
  }

  private final @Nullable Request[] ring;
  private final int maxSegments;

  /** Slots between post and poll. */
  private final AtomicInteger used = new AtomicInteger();

  private long head;
  private long next;
  private long tail;

  /** READs and atomics under way. */
  int reads;

  /** Completed without a completion entry since the last one that had one. */
  int silent;

  SendQueue(int capacity, int maxSegments) {
    ring = new Request[capacity];
    this.maxSegments = maxSegments;
  }

  boolean isFull() {
    return used.get() >= ring.length;
  }

  /** The slot that {@link #post} makes part of the queue. */
  Request blank() {
    return at(tail);
  }

  int blankIndex() {
    return (int) (tail % ring.length);
  }

  void post() {
    used.incrementAndGet();
    tail++;
  }

  void release(int slots) {
    used.addAndGet(-slots);
  }

  private Request at(long position) {
    int index = (int) (position % ring.length);
    Request request = ring[index];
    if (request == null) {
      request = new Request(maxSegments);
      ring[index] = request;
    }
    return request;
  }

  /** The oldest that is not complete, or null. */
  @Nullable Request oldest() {
    return head == tail ? null : at(head);
  }

  /** The oldest if it has been sent, wholly or in part. */
  @Nullable Request underWay() {
    return head == next ? null : at(head);
  }

  /** The first that waits to be sent, or null. */
  @Nullable Request waiting() {
    return next == tail ? null : at(next);
  }

  boolean nothingUnderWay() {
    return head == next;
  }

  void sent(Request request) {
    next++;
    if (request.isRead()) {
      reads++;
    }
  }

  /** Takes the oldest out, and returns how many slots its completion entry gives back. */
  void removeOldest(Request oldest) {
    if (head == next) {
      next++;
    } else if (oldest.isRead()) {
      reads--;
    }
    head++;
    silent++;
  }

  /** All that is under way is to be sent again. */
  void rewind() {
    next = head;
    reads = 0;
  }
}
