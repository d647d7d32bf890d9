package io.regionfs.verbs.disni;

import static io.regionfs.verbs.disni.NativeVerbs.PIECE_ADDRESS;
import static io.regionfs.verbs.disni.NativeVerbs.PIECE_BYTES;
import static io.regionfs.verbs.disni.NativeVerbs.PIECE_KEY;
import static io.regionfs.verbs.disni.NativeVerbs.PIECE_LENGTH;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_BYTES;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_COMPARE_OR_ADD;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_FLAGS;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_ID;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_OPCODE;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_PIECES;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_REMOTE_ADDRESS;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_REMOTE_KEY;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_SWAP;

import io.regionfs.posix.Memory;
import io.regionfs.verbs.Batch;
import java.io.IOException;

/**
 * Of a native device: writes the requests into memory of its own and hands them to libdisni in one
 * call, past DiSNI's objects, which cannot carry the operands of atomics.
 */
final class NativeSendQueue implements SendQueue {
  private static final int STRIDE = REQUEST_BYTES + PIECE_BYTES;
  private static final long BYTES = (long) Batch.MAX_OPERATIONS * STRIDE;

  private final long queuePair;
  private final long requests;

  /**
   * @param queuePair its handle
   */
  NativeSendQueue(long queuePair) {
    this.queuePair = queuePair;
    this.requests = Memory.allocate(BYTES);
    Memory.fill(requests, BYTES, (byte) 0);
  }

  @Override
  public void post(DisniBatch batch, long id) throws IOException {
    long request = requests;
    for (int i = 0; i < batch.size(); i++) {
      Memory.putLong(request + REQUEST_ID, id);
      Memory.putInt(request + REQUEST_OPCODE, batch.opcode[i]);
      Memory.putInt(request + REQUEST_FLAGS, batch.flags(i));
      Memory.putLong(request + REQUEST_REMOTE_ADDRESS, batch.remoteAddress[i]);
      Memory.putInt(request + REQUEST_REMOTE_KEY, batch.remoteKey[i]);
      Memory.putLong(request + REQUEST_COMPARE_OR_ADD, batch.compareAdd[i]);
      Memory.putLong(request + REQUEST_SWAP, batch.swap[i]);
      Memory.putInt(request + REQUEST_PIECES, 1);
      long piece = request + REQUEST_BYTES;
      Memory.putLong(piece + PIECE_ADDRESS, batch.localAddress[i]);
      Memory.putInt(piece + PIECE_LENGTH, batch.length[i]);
      Memory.putInt(piece + PIECE_KEY, batch.localKey[i]);
      request += STRIDE;
    }
    NativeVerbs.postSend(queuePair, requests, batch.size());
  }

  @Override
  public void free() {
    Memory.free(requests);
  }
}
