package io.regionfs.verbs.soft;

import org.jspecify.annotations.Nullable;

/**
 * Answers that wait to be sent, as a ring. It is bounded: only READs and atomics take a place of
 * their own, of which a peer may have {@code readDepth} outstanding; acknowledgements between two
 * of them share one. Guarded by the queue pair's transmit lock.
 */
final class Responses {
  /** One answer. */
  static final class Response {
    int type;
    int status;
    int count;
    long value;
    long address;
    int bytes;
    @Nullable SoftMemoryRegion region;
    long stamp;
  }

  private final Response[] ring;
  private long head;
  private long tail;

  Responses(int readDepth) {
    ring = new Response[2 * readDepth + 4];
    for (int i = 0; i < ring.length; i++) {
      ring[i] = new Response();
    }
  }

  @Nullable Response oldest() {
    return head == tail ? null : at(head);
  }

  void removeOldest() {
    head++;
  }

  void clear() {
    head = tail;
  }

  /** Whether the peer keeps to the number of READs that was agreed on. */
  boolean hasRoom() {
    return tail - head < ring.length - 2;
  }

  /** Acknowledges one more SEND or WRITE. */
  void acknowledge(long stamp) {
    if (head != tail) {
      Response last = at(tail - 1);
      if (last.type == Wire.ACK) {
        last.count++;
        return;
      }
    }
    add(Wire.ACK, stamp).count = 1;
  }

  Response add(int type, long stamp) {
    Response response = at(tail++);
    response.type = type;
    response.stamp = stamp;
    response.status = 0;
    response.count = 0;
    response.value = 0;
    response.bytes = 0;
    response.region = null;
    return response;
  }

  private Response at(long position) {
    return ring[(int) (position % ring.length)];
  }
}
