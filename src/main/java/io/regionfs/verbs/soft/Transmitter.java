package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvSendWR;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.soft.Responses.Response;
import io.regionfs.verbs.soft.SendQueue.Request;
import org.jspecify.annotations.Nullable;

/**
 * Sends responses and requests in the order in which they arose, several in one system call,
 * straight from registered memory. Never blocks: what the socket doesn't take, the connection's
 * thread sends later. Guarded by the queue pair's transmit lock.
 */
final class Transmitter {
  private static final LibC C = LibC.INSTANCE;
  private static final int MAX_FRAMES = 32;
  private static final int MAX_PIECES = 96;
  private static final int IOVEC_BYTES = 16;
  private static final int MSGHDR_BYTES = 56;

  private final SoftQueuePair pair;
  private final SendQueue requests;
  private int readDepth;
  final Responses responses;

  private final long message = Memory.allocate(MSGHDR_BYTES);
  private final long pieces = Memory.allocate((long) MAX_PIECES * IOVEC_BYTES);
  private final long headers = Memory.allocate((long) MAX_FRAMES * Wire.HEADER_BYTES);
  private final @Nullable SoftMemoryRegion[] regions = new SoftMemoryRegion[MAX_PIECES];
  private int pieceCount;
  private int firstPiece;

  /** What of the frame whose header was placed last is not yet placed. */
  private final Segments answer = new Segments(1);

  private @Nullable Segments payload;
  private @Nullable Request payloadOf;
  private boolean gatheredRequests;
  private int segment;
  private int segmentOffset;

  private long stamp;
  private boolean held;
  private boolean resync;

  /** The socket takes no more; its thread waits until it does. */
  private volatile boolean blocked;

  Transmitter(SoftQueuePair pair, SendQueue requests, int readDepth) {
    this.pair = pair;
    this.requests = requests;
    this.readDepth = readDepth;
    responses = new Responses(readDepth);
    Memory.fill(message, MSGHDR_BYTES, (byte) 0);
  }

  /** The peer serves no more READs at once than this. */
  void limitReads(int peerReadDepth) {
    readDepth = Math.min(readDepth, peerReadDepth);
  }

  boolean isBlocked() {
    return blocked;
  }

  long nextStamp() {
    return stamp++;
  }

  /** Requests wait until {@link #resume}, which sends all again that is not answered. */
  void hold() {
    held = true;
    requests.rewind();
  }

  void resume() {
    held = false;
    resync = true;
  }

  /** Whether bytes of requests are on their way that must not be sent any more once they fail. */
  boolean hasPartOfRequest() {
    return payloadOf != null || (gatheredRequests && firstPiece < pieceCount);
  }

  /** Whether some of the request's bytes have not been handed to the socket yet. */
  boolean isSending(Request request) {
    return payloadOf == request;
  }

  /** Sends what can be sent now. */
  void pump(int socket) {
    if (pair.device().options().faults().blackhole()) {
      return;
    }
    while (pair.mayTransmit()) {
      if (firstPiece == pieceCount && !gather()) {
        blocked = false;
        pair.outputIsEmpty();
        return;
      }
      if (!enterRegions()) {
        pair.sendingMemoryIsGone();
        return;
      }
      long sent;
      try {
        int offset = firstPiece * IOVEC_BYTES;
        Memory.putLong(message + 16, pieces + offset);
        Memory.putLong(message + 24, pieceCount - firstPiece);
        sent = C.sendmsg(socket, message, LibC.MSG_DONTWAIT | LibC.MSG_NOSIGNAL);
      } finally {
        exitRegions(pieceCount);
      }
      if (sent < 0) {
        int errno = LibC.errno();
        if (errno == TcpSocket.EAGAIN) {
          blocked = true;
          return;
        }
        if (errno != TcpSocket.EINTR) {
          pair.lost(errno);
          return;
        }
      } else {
        advance(sent);
        if (pair.device().options().faults().cutsAfter(sent)) {
          pair.cut();
          return;
        }
      }
    }
  }

  private boolean enterRegions() {
    SoftMemoryRegion last = null;
    for (int i = firstPiece; i < pieceCount; i++) {
      SoftMemoryRegion region = regions[i];
      if (region != null && region != last) {
        if (!region.enter()) {
          exitRegions(i);
          return false;
        }
        last = region;
      }
    }
    return true;
  }

  private void exitRegions(int end) {
    SoftMemoryRegion last = null;
    for (int i = firstPiece; i < end; i++) {
      SoftMemoryRegion region = regions[i];
      if (region != null && region != last) {
        region.exit();
        last = region;
      }
    }
  }

  private void advance(long sent) {
    long left = sent;
    while (left > 0) {
      long piece = pieces + (long) firstPiece * IOVEC_BYTES;
      long length = Memory.getLong(piece + 8);
      if (left < length) {
        Memory.putLong(piece, Memory.getLong(piece) + left);
        Memory.putLong(piece + 8, length - left);
        return;
      }
      left -= length;
      firstPiece++;
    }
  }

  /** Fills the list of pieces; false if there is nothing to send. */
  private boolean gather() {
    firstPiece = 0;
    pieceCount = 0;
    gatheredRequests = payloadOf != null;
    int frames = 0;
    long room = SoftMemoryRegion.CHUNK_BYTES;
    while (room > 0 && pieceCount < MAX_PIECES) {
      if (payload != null) {
        room -= placePayload(room);
        continue;
      }
      if (frames == MAX_FRAMES || pieceCount + 2 > MAX_PIECES) {
        break;
      }
      long header = headers + (long) frames * Wire.HEADER_BYTES;
      if (!nextFrame(header)) {
        break;
      }
      frames++;
      place(header, Wire.HEADER_BYTES, null);
    }
    return pieceCount > 0;
  }

  private void place(long address, long bytes, @Nullable SoftMemoryRegion region) {
    long piece = pieces + (long) pieceCount * IOVEC_BYTES;
    Memory.putLong(piece, address);
    Memory.putLong(piece + 8, bytes);
    regions[pieceCount++] = region;
  }

  private long placePayload(long room) {
    Segments from = payload;
    if (from == null) {
      return 0;
    }
    long placed = 0;
    while (segment < from.count && placed < room && pieceCount < MAX_PIECES) {
      int bytes = (int) Math.min(room - placed, from.length[segment] - segmentOffset);
      place(from.address[segment] + segmentOffset, bytes, from.region[segment]);
      placed += bytes;
      segmentOffset += bytes;
      if (segmentOffset == from.length[segment]) {
        segment++;
        segmentOffset = 0;
      }
    }
    if (segment == from.count) {
      payload = null;
      payloadOf = null;
    }
    return placed;
  }

  private void begin(Segments from, @Nullable Request request) {
    payload = from.count == 0 ? null : from;
    payloadOf = from.count == 0 ? null : request;
    segment = 0;
    segmentOffset = 0;
  }

  /** Writes the header of whatever arose first; false if nothing may go now. */
  private boolean nextFrame(long header) {
    Response response = responses.oldest();
    Request request = pair.isConnected() ? nextRequest() : null;
    if (response != null && (request == null || response.stamp < request.stamp)) {
      writeResponse(header, response);
      responses.removeOldest();
      return true;
    }
    if (request == null) {
      return false;
    }
    gatheredRequests = true;
    writeRequest(header, request);
    return true;
  }

  /** The next request if it may go: not while held, behind a fence, or beyond the read depth. */
  private @Nullable Request nextRequest() {
    Request request = requests.waiting();
    if (request == null || held) {
      return null;
    }
    if (request.localError != WcStatus.SUCCESS) {
      return null;
    }
    boolean waits =
        (request.isRead() && requests.reads >= readDepth) || (request.fenced && requests.reads > 0);
    return waits ? null : request;
  }

  private void writeResponse(long header, Response response) {
    Wire.clear(header);
    SoftMemoryRegion region = response.region;
    if (region != null && region.isRevoked()) {
      Wire.type(header, Wire.REFUSAL);
      Wire.flags(header, WcStatus.REM_ACCESS_ERR);
      pair.refusedLate();
      return;
    }
    Wire.type(header, response.type);
    Wire.flags(header, response.status);
    Wire.key(header, response.count);
    Wire.operand(header, response.value);
    if (response.type == Wire.READ_DATA) {
      Wire.length(header, response.bytes);
      answer.clear();
      answer.add(response.address, response.bytes, region);
      begin(answer, null);
    }
  }

  private void writeRequest(long header, Request request) {
    Wire.clear(header);
    Wire.address(header, request.remoteAddress);
    Wire.key(header, request.remoteKey);
    Wire.length(header, request.bytes);
    Wire.immediate(header, request.immediate);
    Wire.flags(
        header,
        (request.hasImmediate() ? Wire.FLAG_IMMEDIATE : 0)
            | (request.solicited ? Wire.FLAG_SOLICITED : 0)
            | (resync ? Wire.FLAG_RESYNC : 0));
    resync = false;
    switch (request.opcode) {
      case IbvSendWR.IBV_WR_RDMA_READ -> Wire.type(header, Wire.READ);
      case IbvSendWR.IBV_WR_ATOMIC_CMP_AND_SWP, IbvSendWR.IBV_WR_ATOMIC_FETCH_AND_ADD -> {
        boolean swap = request.opcode == IbvSendWR.IBV_WR_ATOMIC_CMP_AND_SWP;
        Wire.type(header, swap ? Wire.COMPARE_AND_SWAP : Wire.FETCH_AND_ADD);
        Wire.operand(header, request.operand);
        Wire.swap(header, request.swap);
      }
      default -> {
        Wire.type(header, request.isSend() ? Wire.SEND : Wire.WRITE);
        begin(request.segments, request);
      }
    }
    requests.sent(request);
  }

  void free() {
    Memory.free(message);
    Memory.free(pieces);
    Memory.free(headers);
  }
}
