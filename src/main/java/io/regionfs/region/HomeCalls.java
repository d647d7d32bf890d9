package io.regionfs.region;

import io.regionfs.data.Ranges;
import io.regionfs.meta.Messages;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.posix.Memory;
import io.regionfs.proto.Allocate;
import io.regionfs.proto.AllocateMode;
import io.regionfs.proto.CommitAppend;
import io.regionfs.proto.Expose;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Store;

/** What each call of another host does. Failures are {@link FsException}. */
final class HomeCalls {
  private final LentMemory memory;

  HomeCalls(LentMemory memory) {
    this.memory = memory;
  }

  /** Whether the call needs neither a system call nor a lock that is held for long. */
  boolean isQuick(HomeCall call) {
    return switch (call.getCallCase()) {
      case STAT, SET_TIMES, DESCRIBE -> true;
      case ATTACH ->
          !memory.sharesSizesByDevice() && memory.findOrNull(new InodeId(call.getInode())) != null;
      case GROW -> !memory.sharesSizesByDevice();
      default -> false;
    };
  }

  Reply answer(HomeCall call) {
    InodeId inode = new InodeId(call.getInode());
    switch (call.getCallCase()) {
      case ATTACH -> {
        boolean mayBeNew = call.getAttach().getMayBeNew();
        LentRegion region = mayBeNew ? memory.findOrMake(inode) : memory.find(inode);
        boolean swaps = region.lentSlot().attach(call.getAttach().getHasAtomics());
        return HomeReplies.attached(region, inode, swaps, memory.generation());
      }
      case DROP -> {
        memory.drop(inode);
        return HomeReplies.DONE;
      }
      default -> {
        return answer(call, inode, memory.find(inode));
      }
    }
  }

  private Reply answer(HomeCall call, InodeId inode, LentRegion region) {
    switch (call.getCallCase()) {
      case EXPOSE -> {
        return expose(region, call.getExpose());
      }
      case TRUNCATE -> {
        Ranges.checkSize(call.getTruncate().getSize());
        region.shape().truncate(call.getTruncate().getSize());
      }
      case ALLOCATE -> allocate(region, call.getAllocate());
      case SET_TIMES ->
          region.lentSlot().setModified(Messages.instant(call.getSetTimes().getMtime()));
      case TRIM -> region.shape().trim();
      case GROW -> {
        Ranges.checkSize(call.getGrow().getSize());
        return HomeReplies.sizeWord(
            region.lentSlot().grow(call.getGrow().getEpoch(), call.getGrow().getSize()));
      }
      case STAT -> {}
      case SEEK -> {
        long offset = call.getSeek().getOffset();
        Ranges.checkOffset(offset);
        return HomeReplies.offset(region.seek(offset, call.getSeek().getHole()));
      }
      case DESCRIBE -> {
        return HomeReplies.report(region, memory.generation());
      }
      case APPEND -> {
        return append(region, call.getAppend().getData().toByteArray());
      }
      case RESERVE_APPEND -> {
        return reserve(region, call.getReserveAppend());
      }
      case STAGE -> {
        return HomeReplies.staged(memory.staging().take(call.getStage()));
      }
      case STORE -> {
        return store(region, call.getStore());
      }
      case COMMIT_APPEND -> commit(region, call.getCommitAppend());
      default -> throw new FsException(Errno.EOPNOTSUPP, "a call that this home does not know");
    }
    return HomeReplies.stat(region, inode);
  }

  private static Reply expose(LentRegion region, Expose ask) {
    Ranges.checkAllocation(ask.getOffset(), ask.getLength());
    long length = Math.min(ask.getLength(), LentRegion.MAX_EXPOSURES * Piece.BYTES);
    return HomeReplies.exposed(region.expose(ask.getOffset(), length, ask.getWrite()));
  }

  private static void allocate(LentRegion region, Allocate ask) {
    Ranges.checkAllocation(ask.getOffset(), ask.getLength());
    region.shape().allocate(mode(ask.getMode()), ask.getOffset(), ask.getLength());
  }

  private static FallocateMode mode(AllocateMode mode) {
    return switch (mode) {
      case ALLOCATE_MODE_ALLOCATE -> FallocateMode.ALLOCATE;
      case ALLOCATE_MODE_ALLOCATE_KEEP_SIZE -> FallocateMode.ALLOCATE_KEEP_SIZE;
      case ALLOCATE_MODE_PUNCH_HOLE -> FallocateMode.PUNCH_HOLE;
      case ALLOCATE_MODE_ZERO_RANGE -> FallocateMode.ZERO_RANGE;
      case ALLOCATE_MODE_ZERO_RANGE_KEEP_SIZE -> FallocateMode.ZERO_RANGE_KEEP_SIZE;
      case ALLOCATE_MODE_UNSPECIFIED, UNRECOGNIZED ->
          throw new FsException(Errno.EOPNOTSUPP, "an unknown way to allocate");
    };
  }

  private static Reply append(LentRegion region, byte[] data) {
    return HomeReplies.append(append(region, data.length, sourceOf(data)), 0);
  }

  private static long append(LentRegion region, long length, MemoryBytes.Source source) {
    takeTurn(region);
    try {
      return length == 0 ? region.stat().size() : region.append(length, source);
    } finally {
      region.appendTurn().leave();
    }
  }

  private static MemoryBytes.Source sourceOf(byte[] data) {
    return (done, target, length) -> Memory.put(target, data, (int) done, (int) length);
  }

  private Reply store(LentRegion region, Store ask) {
    if (ask.getToken() == 0) {
      byte[] data = ask.getData().toByteArray();
      return stored(region, ask, data.length, sourceOf(data));
    }
    Staging.Stage stage = memory.staging().claim(ask.getToken());
    boolean done = false;
    try {
      if (ask.getLength() <= 0 || ask.getLength() > stage.memory().length()) {
        throw new FsException(Errno.EINVAL, ask.getLength() + " bytes were not staged");
      }
      MemorySource source = new MemorySource(stage.memory().address());
      Reply reply = stored(region, ask, ask.getLength(), source);
      done = true;
      return reply;
    } finally {
      if (done) {
        memory.staging().giveBack(stage);
      } else {
        memory.staging().unclaim(stage);
      }
    }
  }

  private static Reply stored(
      LentRegion region, Store ask, long length, MemoryBytes.Source source) {
    long offset = ask.getOffset();
    if (ask.getAppend()) {
      offset = append(region, length, source);
    } else {
      Ranges.checkWrite(offset, length);
      if (length > 0) {
        region.write(offset, length, source);
      }
    }
    return HomeReplies.stored(offset, region.slot().sizeWord().get());
  }

  /** The caller keeps the turn; it writes the range one-sided, then commits. */
  private static Reply reserve(LentRegion region, long length) {
    takeTurn(region);
    boolean reserved = false;
    try {
      if (region.slot().isDirect()) {
        return HomeReplies.append(0, 0); // nobody can fill what is beyond the end of the file
      }
      int epoch = region.slot().epoch();
      long offset = region.stat().size();
      Ranges.checkWrite(offset, length);
      long token = region.appendTurn().reserve(offset, length, epoch).token();
      reserved = true;
      return HomeReplies.append(offset, token);
    } finally {
      if (!reserved) {
        region.appendTurn().leave();
      }
    }
  }

  private static void commit(LentRegion region, CommitAppend commit) {
    AppendTurn.Reservation reserved = region.appendTurn().resume(commit.getToken());
    try {
      long length = commit.getLength();
      if (length < 0 || length > reserved.length()) {
        throw new FsException(Errno.EINVAL, "more committed than reserved: " + length);
      }
      if (length > 0 && !region.lentSlot().commit(reserved.epoch(), reserved.offset() + length)) {
        throw new FsException(Errno.EAGAIN, "a truncation cut the reserved range: append again");
      }
    } finally {
      region.appendTurn().leave();
    }
  }

  private static void takeTurn(LentRegion region) {
    if (!region.appendTurn().tryEnter()) {
      throw new FsException(Errno.EAGAIN, "another host appends");
    }
  }
}
