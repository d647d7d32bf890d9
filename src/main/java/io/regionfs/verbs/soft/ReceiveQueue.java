package io.regionfs.verbs.soft;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Posted receives as a ring. Its monitor guards it; the thread that reads the connection fills the
 * oldest receive, and takes it out when it is full, unless the queue was flushed meanwhile.
 */
final class ReceiveQueue {
  /** A posted receive. */
  static final class Receive {
    long workRequest;
    int bytes;

    /** Why it fails when it is used, or SUCCESS. */
    int localError;

    int immediate;
    boolean withImmediate;
    boolean solicited;
    final Segments segments;

    Receive(int maxSegments) {
      segments = new Segments(maxSegments);
    }
  }

  private final @Nullable Receive[] ring;
  private final int maxSegments;
  private final AtomicInteger used = new AtomicInteger();

  @GuardedBy("this")
  private long head;

  @GuardedBy("this")
  private long tail;

  ReceiveQueue(int capacity, int maxSegments) {
    ring = new Receive[capacity];
    this.maxSegments = maxSegments;
  }

  boolean isFull() {
    return used.get() >= ring.length;
  }

  /** The slot that {@link #post} makes part of the queue. */
  synchronized Receive blank() {
    return at(tail);
  }

  synchronized void post() {
    used.incrementAndGet();
    tail++;
  }

  void release(int slots) {
    used.addAndGet(-slots);
  }

  @GuardedBy("this")
  private Receive at(long position) {
    int index = (int) (position % ring.length);
    Receive receive = ring[index];
    if (receive == null) {
      receive = new Receive(maxSegments);
      ring[index] = receive;
    }
    return receive;
  }

  /** The receive that the next message goes to, or null. */
  synchronized @Nullable Receive oldest() {
    return head == tail ? null : at(head);
  }

  /** Takes the oldest out. */
  synchronized @Nullable Receive remove() {
    return head == tail ? null : at(head++);
  }
}
