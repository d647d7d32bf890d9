package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.impl.NatIbvQP;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.VerbsPeer;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Requests as {@link NativeVerbs#postSend} takes them, one after the other. */
final class FlatRequests {
  private final ByteBuffer bytes =
      ByteBuffer.allocateDirect(1 << 16).order(ByteOrder.nativeOrder());
  private int request;
  private int count;

  FlatRequests add(long id, int opcode, int flags, long remoteAddress, int remoteKey) {
    request = bytes.position();
    bytes
        .putLong(request + NativeVerbs.REQUEST_ID, id)
        .putInt(request + NativeVerbs.REQUEST_OPCODE, opcode)
        .putInt(request + NativeVerbs.REQUEST_FLAGS, flags)
        .putLong(request + NativeVerbs.REQUEST_REMOTE_ADDRESS, remoteAddress)
        .putInt(request + NativeVerbs.REQUEST_REMOTE_KEY, remoteKey)
        .position(request + NativeVerbs.REQUEST_BYTES);
    count++;
    return this;
  }

  /** Of the request added last. */
  FlatRequests operands(long compareOrAdd, long swap) {
    bytes
        .putLong(request + NativeVerbs.REQUEST_COMPARE_OR_ADD, compareOrAdd)
        .putLong(request + NativeVerbs.REQUEST_SWAP, swap);
    return this;
  }

  /** Of the request added last. */
  FlatRequests piece(IbvMr region, int offset, int length) {
    return piece(region.getAddr() + offset, length, region.getLkey());
  }

  /** Of the request added last. */
  FlatRequests piece(long address, int length, int key) {
    int at = bytes.position();
    bytes
        .putLong(at + NativeVerbs.PIECE_ADDRESS, address)
        .putInt(at + NativeVerbs.PIECE_LENGTH, length)
        .putInt(at + NativeVerbs.PIECE_KEY, key)
        .position(at + NativeVerbs.PIECE_BYTES);
    int pieces = request + NativeVerbs.REQUEST_PIECES;
    bytes.putInt(pieces, bytes.getInt(pieces) + 1);
    return this;
  }

  void post(VerbsPeer peer) throws IOException {
    try {
      NativeVerbs.postSend(((NatIbvQP) peer.qp).getObjId(), Memory.addressOf(bytes), count);
    } finally {
      Reference.reachabilityFence(bytes);
    }
  }
}
