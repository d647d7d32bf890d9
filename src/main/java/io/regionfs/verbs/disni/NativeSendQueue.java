package io.regionfs.verbs.disni;

import static io.regionfs.verbs.disni.NativeVerbs.PIECE_ADDRESS;
import static io.regionfs.verbs.disni.NativeVerbs.PIECE_BYTES;
import static io.regionfs.verbs.disni.NativeVerbs.PIECE_KEY;
import static io.regionfs.verbs.disni.NativeVerbs.PIECE_LENGTH;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_BYTES;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_COMPARE_OR_ADD;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_FLAGS;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_ID;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_IMMEDIATE;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_OPCODE;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_PIECES;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_REMOTE_ADDRESS;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_REMOTE_KEY;
import static io.regionfs.verbs.disni.NativeVerbs.REQUEST_SWAP;

import com.ibm.disni.verbs.IbvSendWR;
import io.regionfs.posix.Memory;
import java.io.IOException;

/**
 * Of a native device: writes the requests into memory of its own and hands them to libdisni in one
 * call, past DiSNI's objects, which cannot carry the operands of atomics.
 *
 * <p>Soft-iWARP garbles a message of up to 32 bytes whose source crosses a page (siw_try_1seg takes
 * the length of one part for that of the other), so on iWARP those are posted in two parts.
 */
final class NativeSendQueue implements SendQueue {
  private static final int STRIDE = REQUEST_BYTES + PIECE_BYTES;
  private static final int SHORT_BYTES = 32;
  private static final int PAGE_BYTES = 4096;

  private final long queuePair;
  private final boolean splitsShort;
  private final long requests = Memory.allocate(2L * DisniBatch.CAPACITY * STRIDE);

  /**
   * @param queuePair its handle
   * @param splitsShort short messages must not cross pages
   */
  NativeSendQueue(long queuePair, boolean splitsShort) {
    this.queuePair = queuePair;
    this.splitsShort = splitsShort;
  }

  @Override
  public int operations(int depth) {
    return splitsShort ? depth / 2 : depth;
  }

  @Override
  public void post(DisniBatch batch, long id) throws IOException {
    int count = 0;
    for (int i = 0; i < batch.size(); i++) {
      int length = batch.length[i];
      int first = splitsShort && length <= SHORT_BYTES ? bytesInPage(batch, i) : length;
      int flags = batch.flags(i);
      if (first < length) {
        put(count++, batch, i, 0, first, flags & ~IbvSendWR.IBV_SEND_SIGNALED, id);
        put(count++, batch, i, first, length - first, flags, id);
      } else {
        put(count++, batch, i, 0, length, flags, id);
      }
    }
    NativeVerbs.postSend(queuePair, requests, count);
  }

  /** How much of it there is before a page of the source ends. */
  private static int bytesInPage(DisniBatch batch, int i) {
    long source =
        batch.opcode[i] == IbvSendWR.IBV_WR_RDMA_READ
            ? batch.remoteAddress[i]
            : batch.localAddress[i];
    return Math.min(batch.length[i], PAGE_BYTES - (int) (source & (PAGE_BYTES - 1)));
  }

  private void put(int index, DisniBatch batch, int i, int from, int length, int flags, long id) {
    long request = requests + (long) index * STRIDE;
    Memory.putLong(request + REQUEST_ID, id);
    Memory.putInt(request + REQUEST_OPCODE, batch.opcode[i]);
    Memory.putInt(request + REQUEST_FLAGS, flags);
    Memory.putLong(request + REQUEST_REMOTE_ADDRESS, batch.remoteAddress[i] + from);
    Memory.putInt(request + REQUEST_REMOTE_KEY, batch.remoteKey[i]);
    Memory.putInt(request + REQUEST_IMMEDIATE, 0);
    Memory.putLong(request + REQUEST_COMPARE_OR_ADD, batch.compareAdd[i]);
    Memory.putLong(request + REQUEST_SWAP, batch.swap[i]);
    Memory.putInt(request + REQUEST_PIECES, 1);
    Memory.putInt(request + REQUEST_PIECES + Integer.BYTES, 0);
    long piece = request + REQUEST_BYTES;
    Memory.putLong(piece + PIECE_ADDRESS, batch.localAddress[i] + from);
    Memory.putInt(piece + PIECE_LENGTH, length);
    Memory.putInt(piece + PIECE_KEY, batch.localKey[i]);
  }

  @Override
  public void free() {
    Memory.free(requests);
  }
}
