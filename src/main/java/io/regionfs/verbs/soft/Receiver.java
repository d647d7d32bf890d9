package io.regionfs.verbs.soft;

import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import org.jspecify.annotations.Nullable;

/**
 * Reads a connection: headers and small payloads through a buffer, large payloads straight into
 * their target. Trusts nothing that comes: whatever isn't allowed ends the connection. Guarded by
 * the link's receive lock.
 */
final class Receiver {
  private static final LibC C = LibC.INSTANCE;
  private static final int EFAULT = 14;
  private static final int BUFFER_BYTES = 16 << 10;
  private static final int AHEAD_BYTES = 4 << 10;
  private static final int IOVEC_BYTES = 16;

  /** So often a call reads before its thread may see to other things. */
  private static final int MAX_ROUNDS = 16;

  private final SoftQueuePair pair;
  private final Requester requester;
  private final Replies replies;
  private final Placement placement;
  private final Responder responder;
  private final long buffer = Memory.allocate(BUFFER_BYTES);
  private final long pieces;
  private int asked;
  private int position;
  private int limit;

  /** Where the payload of the current frame goes; null if it is thrown away. */
  private @Nullable Segments target;

  private int segment;
  private int segmentOffset;
  private int remaining;
  private boolean inFrame;
  private int type;
  private int flags;
  private int length;
  private int immediate;

  Receiver(SoftQueuePair pair) {
    this.pair = pair;
    requester = pair.requester();
    replies = pair.replies();
    placement = pair.placement();
    responder = new Responder(pair);
    pieces = Memory.allocate((long) (pair.maxSegments() + 1) * IOVEC_BYTES);
  }

  /** Reads what is there. False once the connection has ended. */
  boolean progress(int socket) {
    for (int round = 0; round < MAX_ROUNDS; round++) {
      boolean direct = remaining > 0 && target != null && position == limit;
      long n = direct ? scatter(socket) : fill(socket);
      if (n <= 0) {
        return ended(n);
      }
      if (!pair.isAlive()) {
        position = limit;
        continue;
      }
      parse();
      pair.flushResponses();
      if (n < asked) {
        return true;
      }
    }
    return true;
  }

  private boolean ended(long n) {
    if (n == 0) {
      pair.lost(0);
      return false;
    }
    int errno = LibC.errno();
    if (errno == TcpSocket.EAGAIN || errno == TcpSocket.EINTR) {
      return true;
    }
    if (errno == EFAULT) {
      pair.targetFails(type <= Wire.LAST_REQUEST);
      return true;
    }
    pair.lost(errno);
    return false;
  }

  private long fill(int socket) {
    if (position == limit) {
      position = 0;
      limit = 0;
    } else if (position > 0) {
      Memory.copy(buffer + position, buffer, limit - position);
      limit -= position;
      position = 0;
    }
    asked = BUFFER_BYTES - limit;
    long n = C.recv(socket, buffer + limit, asked, 0);
    if (n > 0) {
      limit += (int) n;
    }
    return n;
  }

  /** Receives payload into its target, and the beginning of the next frame into the buffer. */
  private long scatter(int socket) {
    Segments into = target;
    if (into == null) {
      throw new IllegalStateException();
    }
    int budget = Math.min(remaining, SoftMemoryRegion.CHUNK_BYTES);
    int placed = 0;
    int count = 0;
    int last = segment;
    for (int at = segmentOffset; placed < budget; at = 0) {
      int bytes = Math.min(budget - placed, into.length[last] - at);
      place(count++, into.address[last] + at, bytes);
      placed += bytes;
      last++;
    }
    if (placed == remaining) {
      place(count++, buffer, AHEAD_BYTES);
    }
    asked = placed == remaining ? placed + AHEAD_BYTES : placed;
    long n;
    if (!placement.begin(into, segment, last)) {
      pair.targetFails(type <= Wire.LAST_REQUEST);
      target = null;
      return fill(socket);
    }
    try {
      n = C.readv(socket, pieces, count);
    } finally {
      placement.end(into, segment, last);
    }
    if (n > 0) {
      int payload = (int) Math.min(n, placed);
      advance(payload);
      position = 0;
      limit = (int) (n - payload);
    }
    return n;
  }

  private void place(int index, long address, int bytes) {
    Memory.putLong(pieces + (long) index * IOVEC_BYTES, address);
    Memory.putLong(pieces + (long) index * IOVEC_BYTES + 8, bytes);
  }

  private void advance(int bytes) {
    remaining -= bytes;
    Segments into = target;
    if (into == null) {
      return;
    }
    for (int left = bytes; left > 0; ) {
      int step = Math.min(left, into.length[segment] - segmentOffset);
      left -= step;
      segmentOffset += step;
      if (segmentOffset == into.length[segment]) {
        segment++;
        segmentOffset = 0;
      }
    }
  }

  private void parse() {
    while (pair.isAlive()) {
      if (remaining > 0 && !takePayload()) {
        return;
      }
      if (inFrame) {
        inFrame = false;
        finish();
        continue;
      }
      if (limit - position < Wire.HEADER_BYTES) {
        return;
      }
      long header = buffer + position;
      position += Wire.HEADER_BYTES;
      begin(header);
    }
  }

  /** Copies payload out of the buffer; false if more must come. */
  private boolean takePayload() {
    while (remaining > 0 && position < limit) {
      int bytes = Math.min(remaining, limit - position);
      Segments into = target;
      if (into != null) {
        bytes = Math.min(bytes, into.length[segment] - segmentOffset);
        if (!copy(into, bytes)) {
          pair.targetFails(type <= Wire.LAST_REQUEST);
          return false;
        }
      }
      position += bytes;
      advance(bytes);
    }
    return remaining == 0;
  }

  private boolean copy(Segments into, int bytes) {
    if (!placement.begin(into, segment, segment + 1)) {
      return false;
    }
    try {
      Memory.copy(buffer + position, into.address[segment] + segmentOffset, bytes);
      return true;
    } catch (InternalError pageCannotBeHad) {
      return false;
    } finally {
      placement.end(into, segment, segment + 1);
    }
  }

  private void begin(long header) {
    type = Wire.type(header);
    flags = Wire.flags(header);
    length = Wire.length(header);
    immediate = Wire.immediate(header);
    if (length < 0 || length > Wire.MAX_MESSAGE_BYTES || Wire.reserved(header) != 0) {
      pair.violation("frame of " + length + " bytes");
      return;
    }
    if (type >= Wire.SEND && type <= Wire.LAST_REQUEST) {
      if ((flags & ~Wire.ALL_REQUEST_FLAGS) != 0) {
        pair.violation("request flags " + flags);
        return;
      }
      boolean hasPayload = type == Wire.SEND || type == Wire.WRITE;
      Segments into = responder.begin(header);
      if (hasPayload) {
        payload(into, length);
        inFrame = responder.accepts();
      }
      return;
    }
    response(header);
  }

  private void payload(@Nullable Segments into, int bytes) {
    target = into;
    segment = 0;
    segmentOffset = 0;
    remaining = bytes;
  }

  private void response(long header) {
    switch (type) {
      case Wire.ACK -> requester.acknowledged(Wire.key(header));
      case Wire.READ_DATA -> {
        Segments into = requester.readAnswered(length);
        if (into != null) {
          payload(into, length);
          inFrame = true;
        }
      }
      case Wire.ATOMIC_RESULT -> requester.atomicAnswered(Wire.operand(header));
      case Wire.REFUSAL -> requester.refusedByPeer(flags);
      case Wire.NOT_READY -> requester.peerNotReady();
      case Wire.DISCONNECT -> pair.disconnectedByPeer();
      default -> pair.violation("frame type " + type);
    }
  }

  private void finish() {
    switch (type) {
      case Wire.SEND -> replies.received(length, immediate, flags, false);
      case Wire.WRITE -> {
        if ((flags & Wire.FLAG_IMMEDIATE) != 0) {
          replies.received(length, immediate, flags, true);
        } else {
          replies.acknowledge();
        }
      }
      default -> requester.readComplete();
    }
  }

  void free() {
    Memory.free(buffer);
    Memory.free(pieces);
  }
}
