package io.regionfs.data;

import io.regionfs.data.ExposureMap.Entry;
import io.regionfs.model.InodeId;
import io.regionfs.posix.Memory;
import io.regionfs.proto.Expose;
import io.regionfs.proto.Exposures;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Settle;
import io.regionfs.rpc.RpcException;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.TransferException;
import io.regionfs.verbs.TransferException.Reason;
import java.time.Duration;

/**
 * The steps that reads and writes of one region are made of. Each is part of an attempt: it throws
 * what ends the attempt.
 */
final class OneSided {
  /** Operations that a batch holds beside the data: times, size, slot. */
  private static final int RESERVED_OPERATIONS = 3;

  private final InodeId inode;
  private final HomeCaller caller;
  private final RemoteOptions options;

  OneSided(InodeId inode, HomeCaller caller, RemoteOptions options) {
    this.inode = inode;
    this.caller = caller;
    this.options = options;
  }

  /** Reads the slot alone; returns its size word. */
  long refresh(Attachment at, Workspace work) throws TransferException, InterruptedException {
    work.batch.clear();
    work.readSlot(at.slotAddress(), at.slotKey());
    execute(at, work, 0);
    return slotRead(at, work);
  }

  /**
   * The same, for who wants to know whether the file goes on up to an end: of a direct region only
   * the home knows, and notes it in the slot when it is asked.
   */
  long refreshTo(Attachment at, Workspace work, long end)
      throws TransferException, RpcException, InterruptedException {
    long word = refresh(at, work);
    if (!Slot.isDirect(word) || end <= Slot.sizeOf(word)) {
      return word;
    }
    Settle unused = askStat(at);
    return refresh(at, work);
  }

  /** Has the home say its size and times. */
  Settle askStat(Attachment at) throws RpcException, InterruptedException {
    HomeCall call =
        HomeCall.newBuilder().setInode(inode.value()).setStat(Ping.getDefaultInstance()).build();
    return caller.once(at.link(), call, options.attemptFor(0)).getStat();
  }

  Duration deadlineFor(long bytes) {
    return options.attemptFor(bytes);
  }

  void execute(Attachment at, Workspace work, long bytes)
      throws TransferException, InterruptedException {
    Duration deadline = options.attemptFor(bytes);
    at.link().connection().execute(work.batch, deadline);
  }

  /** After a batch that read the slot: notes what it says; returns its size word. */
  long slotRead(Attachment at, Workspace work) throws TransferException {
    if (work.slot(Slot.INODE) != inode.value()) {
      throw new TransferException(Reason.REMOTE_ACCESS, "the slot of region " + inode + " is gone");
    }
    long word = work.slot(Slot.SIZE);
    at.sizeWord(word);
    at.times(work.slot(Slot.MTIME), work.slot(Slot.CTIME));
    return word;
  }

  /**
   * Asks the home to expose a range.
   *
   * @param needed where the range ends that must be answered
   * @param wanted where the range ends that is asked for, at or after needed
   * @return exactly what the home said, for this range at least; what is not in it is a hole
   */
  ExposureMap expose(Attachment at, long from, long needed, long wanted, boolean write)
      throws TransferException, RpcException, InterruptedException {
    ExposureMap told = ExposureMap.EMPTY;
    long position = from;
    while (position < needed) {
      Exposures answer = ask(at, position, wanted, write);
      if (answer.getCoveredTo() <= position) {
        throw new TransferException(
            Reason.DISCONNECTED, "the home says nothing of region " + inode + " at " + position);
      }
      at.merge(position, answer);
      told = Attachment.addTo(told, answer);
      position = answer.getCoveredTo();
    }
    return told;
  }

  private Exposures ask(Attachment at, long from, long to, boolean write)
      throws RpcException, InterruptedException {
    HomeCall call =
        HomeCall.newBuilder()
            .setInode(inode.value())
            .setExpose(Expose.newBuilder().setOffset(from).setLength(to - from).setWrite(write))
            .build();
    return caller.once(at.link(), call, options.attemptFor(to - from)).getExposures();
  }

  /**
   * Copies a range of the region to local memory; what the map has not is a hole: zeros. The batch
   * may hold operations already; when it returns, all are complete.
   */
  void fetch(Attachment at, Workspace work, ExposureMap map, long from, long to, Local local)
      throws TransferException, InterruptedException {
    long position = from;
    int index = map.firstEndingAfter(from);
    while (position < to) {
      Entry entry = index < map.size() ? map.get(index) : null;
      long start = entry == null ? to : Math.min(to, Math.max(entry.offset(), position));
      if (start > position) {
        Memory.fill(local.address + (position - from), start - position, (byte) 0);
        position = start;
      } else if (entry != null) {
        long end = Math.min(to, entry.end());
        makeRoom(at, work, to - from);
        work.batch.read(
            local.address + (position - from),
            local.key,
            entry.addressOf(position),
            entry.key(),
            (int) (end - position));
        position = end;
        index++;
      }
    }
    execute(at, work, to - from);
  }

  /** Adds the copying of local memory to a range that the map covers; some may be done already. */
  void store(Attachment at, Workspace work, ExposureMap map, long from, long to, Local local)
      throws TransferException, InterruptedException {
    long position = from;
    for (int index = map.firstEndingAfter(from); position < to; index++) {
      Entry entry = map.get(index);
      long end = Math.min(to, entry.end());
      makeRoom(at, work, to - from);
      work.batch.write(
          local.address + (position - from),
          local.key,
          entry.addressOf(position),
          entry.key(),
          (int) (end - position));
      position = end;
    }
  }

  private void makeRoom(Attachment at, Workspace work, long bytes)
      throws TransferException, InterruptedException {
    if (work.batch.size() >= Batch.MAX_OPERATIONS - RESERVED_OPERATIONS) {
      execute(at, work, bytes);
      work.batch.clear();
    }
  }

  /** Registered memory of this host. */
  record Local(long address, int key) {}
}
