package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvQPCap;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvWC.IbvWcOpcode;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.soft.ReceiveQueue.Receive;
import io.regionfs.verbs.soft.SendQueue.Request;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Checks work requests and enters them into the queues. What the caller could have known is refused
 * at once (queue full, too many segments); what the device finds when it comes to the request (bad
 * local key) becomes the request's completion. Guarded by the queue pair's transmit lock.
 */
final class Posting {
  private final SoftProtectionDomain domain;
  private final SendQueue requests;
  private final ReceiveQueue receives;
  private final int maxSendSegments;
  private final int maxReceiveSegments;
  private final int maxInline;
  private final int sendSlots;
  private final boolean allSignalled;
  private long inlineMemory;
  private boolean closed;

  Posting(
      SoftProtectionDomain domain,
      SendQueue requests,
      ReceiveQueue receives,
      IbvQPCap caps,
      boolean allSignalled) {
    this.domain = domain;
    this.requests = requests;
    this.receives = receives;
    maxSendSegments = caps.getMax_send_sge();
    maxReceiveSegments = caps.getMax_recv_sge();
    maxInline = caps.getMax_inline_data();
    sendSlots = caps.getMax_send_wr();
    this.allSignalled = allSignalled;
  }

  static int completionOpcode(Request request) {
    return switch (request.opcode) {
      case IbvSendWR.IBV_WR_RDMA_WRITE, IbvSendWR.IBV_WR_RDMA_WRITE_WITH_IMM ->
          IbvWcOpcode.IBV_WC_RDMA_WRITE.getOpcode();
      case IbvSendWR.IBV_WR_RDMA_READ -> IbvWcOpcode.IBV_WC_RDMA_READ.getOpcode();
      case IbvSendWR.IBV_WR_ATOMIC_CMP_AND_SWP -> IbvWcOpcode.IBV_WC_COMP_SWAP.getOpcode();
      case IbvSendWR.IBV_WR_ATOMIC_FETCH_AND_ADD -> IbvWcOpcode.IBV_WC_FETCH_ADD.getOpcode();
      default -> IbvWcOpcode.IBV_WC_SEND.getOpcode();
    };
  }

  void send(SoftPostSend.Work work, long stamp) throws IOException {
    if (requests.isFull()) {
      throw new IOException("send queue is full: " + sendSlots + " requests not yet polled");
    }
    Request request = requests.blank();
    request.workRequest = work.getWr_id();
    request.opcode = work.getOpcode();
    int flags = work.getSend_flags();
    request.signalled = allSignalled || (flags & IbvSendWR.IBV_SEND_SIGNALED) != 0;
    request.fenced = (flags & IbvSendWR.IBV_SEND_FENCE) != 0;
    request.solicited = (flags & IbvSendWR.IBV_SEND_SOLICITED) != 0;
    request.immediate = request.hasImmediate() ? work.immediate() : 0;
    request.localError = WcStatus.SUCCESS;
    request.remoteAddress = 0;
    request.remoteKey = 0;
    request.stamp = stamp;
    if (!request.isSend()) {
      request.remoteAddress = work.remoteAddress();
      request.remoteKey = work.remoteKey();
    }
    gather(request, work, flags);
    if (request.isAtomic()) {
      if (request.bytes != 8 || request.segments.count != 1) {
        throw new IOException("an atomic needs one local segment of 8 bytes");
      }
      request.operand = work.operand();
      request.swap = work.swap();
    }
    requests.post();
  }

  private void gather(Request request, SoftPostSend.Work work, int flags) throws IOException {
    int count = work.getNum_sge();
    if (count > maxSendSegments) {
      throw new IOException(count + " segments, at most " + maxSendSegments + " were asked for");
    }
    boolean inline = (flags & IbvSendWR.IBV_SEND_INLINE) != 0 && !request.isRead();
    long total = 0;
    request.segments.clear();
    for (int i = 0; i < count; i++) {
      long address = work.address(i);
      int bytes = work.length(i);
      if (bytes < 0) {
        throw new IOException("negative length " + bytes);
      }
      total += bytes;
      SoftMemoryRegion region = null;
      if (!inline && bytes > 0) {
        region = local(work.localKey(i), address, bytes, request.isRead());
        if (region == null) {
          request.localError = WcStatus.LOC_PROT_ERR;
        }
      }
      request.segments.add(address, bytes, region);
    }
    if (inline) {
      keep(request, total);
    }
    request.bytes = (int) Math.min(total, Integer.MAX_VALUE);
    if (total > Wire.MAX_MESSAGE_BYTES) {
      request.localError = WcStatus.LOC_LEN_ERR;
    }
  }

  /** Copies inline bytes, so that the caller may reuse its memory at once. */
  private void keep(Request request, long total) throws IOException {
    if (total > maxInline) {
      throw new IOException(total + " inline bytes, at most " + maxInline + " were asked for");
    }
    if (closed) {
      request.segments.clear();
      return;
    }
    if (inlineMemory == 0) {
      inlineMemory = Memory.allocate(Math.max(1, (long) maxInline * sendSlots));
    }
    Segments segments = request.segments;
    long copy = inlineMemory + (long) requests.blankIndex() * maxInline;
    long to = copy;
    for (int i = 0; i < segments.count; i++) {
      Memory.copy(segments.address[i], to, segments.length[i]);
      to += segments.length[i];
    }
    segments.clear();
    segments.add(copy, (int) total, null);
  }

  void receive(SoftPostReceive.Work work) throws IOException {
    if (receives.isFull()) {
      throw new IOException("receive queue is full");
    }
    int count = work.count();
    if (count > maxReceiveSegments) {
      throw new IOException(count + " segments, at most " + maxReceiveSegments + " were asked for");
    }
    Receive receive = receives.blank();
    receive.workRequest = work.getWr_id();
    receive.localError = WcStatus.SUCCESS;
    receive.immediate = 0;
    receive.withImmediate = false;
    receive.solicited = false;
    receive.segments.clear();
    long total = 0;
    for (int i = 0; i < count; i++) {
      int bytes = work.length(i);
      if (bytes < 0) {
        throw new IOException("negative length " + bytes);
      }
      total += bytes;
      SoftMemoryRegion region =
          bytes == 0 ? null : local(work.localKey(i), work.address(i), bytes, true);
      if (bytes > 0 && region == null) {
        receive.localError = WcStatus.LOC_PROT_ERR;
      }
      receive.segments.add(work.address(i), bytes, region);
    }
    receive.bytes = (int) Math.min(total, Integer.MAX_VALUE);
    receives.post();
  }

  private @Nullable SoftMemoryRegion local(int key, long address, int bytes, boolean write) {
    SoftMemoryRegion region = domain.device().memory().find(key);
    boolean good =
        region != null
            && region.domain() == domain
            && region.covers(address, bytes)
            && (!write || region.allows(IbvMr.IBV_ACCESS_LOCAL_WRITE));
    return good ? region : null;
  }

  /** Requests that are still posted are never sent. */
  void free() {
    closed = true;
    if (inlineMemory != 0) {
      Memory.free(inlineMemory);
      inlineMemory = 0;
    }
  }
}
