package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvMr;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.soft.ReceiveQueue.Receive;
import org.jspecify.annotations.Nullable;

/**
 * Serves the peer's requests, after checking what a NIC checks: protection domain, key, bounds and
 * access. Guarded by the link's receive lock.
 */
final class Responder {
  private final SoftQueuePair pair;
  private final Replies replies;
  private final Segments single = new Segments(1);
  private boolean waitsForResync;
  private boolean accepting;

  Responder(SoftQueuePair pair) {
    this.pair = pair;
    replies = pair.replies();
  }

  /** Whether the frame's payload is taken, and the request complete once it is there. */
  boolean accepts() {
    return accepting;
  }

  /** Begins to serve a request; where its payload goes, or null. */
  @Nullable Segments begin(long header) {
    accepting = false;
    int flags = Wire.flags(header);
    if ((flags & Wire.FLAG_RESYNC) != 0) {
      waitsForResync = false;
    }
    if (waitsForResync) {
      return null;
    }
    return switch (Wire.type(header)) {
      case Wire.SEND -> send(Wire.length(header));
      case Wire.WRITE -> write(header, (flags & Wire.FLAG_IMMEDIATE) != 0);
      case Wire.READ -> read(header);
      default -> atomic(header);
    };
  }

  private @Nullable Segments send(int bytes) {
    Receive receive = pair.receiveQueue().oldest();
    if (receive == null) {
      waitsForResync = true;
      replies.notReady();
      return null;
    }
    if (receive.localError != WcStatus.SUCCESS) {
      replies.receiveFails(receive.localError, WcStatus.REM_OP_ERR);
      return null;
    }
    if (bytes > receive.bytes) {
      replies.receiveFails(WcStatus.LOC_LEN_ERR, WcStatus.REM_INV_REQ_ERR);
      return null;
    }
    accepting = true;
    return receive.segments;
  }

  private @Nullable Segments write(long header, boolean immediate) {
    if (immediate && pair.receiveQueue().oldest() == null) {
      waitsForResync = true;
      replies.notReady();
      return null;
    }
    int bytes = Wire.length(header);
    single.clear();
    if (bytes > 0) {
      SoftMemoryRegion region = find(header, bytes, IbvMr.IBV_ACCESS_REMOTE_WRITE);
      if (region == null) {
        return null;
      }
      single.add(Wire.address(header), bytes, region);
    }
    accepting = true;
    return single;
  }

  private @Nullable Segments read(long header) {
    int bytes = Wire.length(header);
    SoftMemoryRegion region = null;
    if (bytes > 0) {
      region = find(header, bytes, IbvMr.IBV_ACCESS_REMOTE_READ);
      if (region == null) {
        return null;
      }
    }
    replies.answerRead(region, Wire.address(header), bytes);
    return null;
  }

  private @Nullable Segments atomic(long header) {
    long address = Wire.address(header);
    Atomics scope = pair.device().options().atomics();
    if (scope == Atomics.NONE || (address & 7) != 0 || Wire.length(header) != 8) {
      replies.refuse(WcStatus.REM_INV_REQ_ERR);
      return null;
    }
    SoftMemoryRegion region = find(header, 8, IbvMr.IBV_ACCESS_REMOTE_ATOMIC);
    if (region == null) {
      return null;
    }
    if (!region.enter()) {
      replies.refuse(WcStatus.REM_ACCESS_ERR);
      return null;
    }
    long old;
    try {
      old =
          scope == Atomics.DEVICE
              ? pair.device().atomically(header, address)
              : carryOut(header, address);
    } catch (InternalError pageCannotBeHad) {
      replies.refuse(WcStatus.REM_OP_ERR);
      return null;
    } finally {
      region.exit();
    }
    replies.answerAtomic(old);
    return null;
  }

  private static long carryOut(long header, long address) {
    long operand = Wire.operand(header);
    if (Wire.type(header) == Wire.FETCH_AND_ADD) {
      return Memory.getAndAddLong(address, operand);
    }
    long swap = Wire.swap(header);
    for (; ; ) {
      long old = Memory.getLongVolatile(address);
      if (old != operand || Memory.compareAndSwapLong(address, old, swap)) {
        return old;
      }
    }
  }

  private @Nullable SoftMemoryRegion find(long header, int bytes, int access) {
    SoftMemoryRegion region = pair.device().memory().find(Wire.key(header));
    if (region == null
        || region.domain() != pair.domain()
        || !region.allows(access)
        || !region.covers(Wire.address(header), bytes)) {
      replies.refuse(WcStatus.REM_ACCESS_ERR);
      return null;
    }
    return region;
  }
}
