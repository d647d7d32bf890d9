package io.regionfs.data;

import io.regionfs.data.OneSided.Local;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.proto.Allocate;
import io.regionfs.proto.AllocateMode;
import io.regionfs.proto.Grow;
import io.regionfs.proto.HomeCall;
import io.regionfs.rpc.RpcException;
import io.regionfs.verbs.TransferException;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Writes: the data, then the times, then the size if it grows, in one batch when the home has
 * memory for all of the range.
 *
 * <p>Where this host must not swap the size, as its device or the home's has no atomics, the home
 * is called to do so after that batch. The batch ends with a read, which is answered when the data
 * is in place: on iWARP a write is complete before that.
 *
 * <p>To a direct region only bytes within the size are written so: what would move its end, the
 * home writes.
 *
 * <p>The slot is read last. If its epoch is another than when the write began, a shrink may have
 * taken the bytes away, and they are written again.
 */
final class RemoteWriter {
  /** How far mtime may be behind the write; rewriting it each time would cost an operation. */
  private static final long MTIME_GRAIN_NANOS = 1_000_000;

  /** A file that grows by sequential writes asks for as much again, up to this. */
  private static final long MOST_AHEAD = 64L << 20;

  private static final long DONE = Attachment.UNKNOWN;

  private final InodeId inode;
  private final OneSided steps;
  private final HomeCaller caller;
  private final Workspaces workspaces;
  private final HomeStores stores;

  /** Where the last write ended, and how much has been written up to there without a gap. */
  private volatile long sequentialEnd;

  private volatile long sequentialBytes;
  private volatile boolean hasAskedAhead;

  /** Times that are written here are later. */
  private final AtomicLong floor = new AtomicLong(Long.MIN_VALUE);

  RemoteWriter(
      InodeId inode, OneSided steps, HomeCaller caller, Workspaces workspaces, HomeStores stores) {
    this.inode = inode;
    this.steps = steps;
    this.caller = caller;
    this.workspaces = workspaces;
    this.stores = stores;
  }

  void noEarlierThan(Instant time) {
    floor.accumulateAndGet(Slot.nanos(time), Math::max);
  }

  /** The home may hold memory beyond the size for us; asking resets it. */
  boolean takeAskedAhead() {
    boolean asked = hasAskedAhead;
    hasAskedAhead = false;
    return asked;
  }

  /** One attempt. */
  void write(Attachment at, long offset, int length, Local local)
      throws TransferException, RpcException, InterruptedException {
    Workspace work = workspaces.take(at.link().connection());
    try {
      long word = at.sizeWord();
      if (word == Attachment.UNKNOWN) {
        word = steps.refresh(at, work);
      }
      while (word != DONE) {
        word = write(at, work, word, offset, length, local);
      }
    } finally {
      workspaces.giveBack(work);
    }
    noteSequence(offset, length);
  }

  /**
   * Only the data, into a range at the end that the home has reserved; false if the region has
   * become direct meanwhile. One attempt.
   */
  boolean fill(Attachment at, long offset, int length, Local local)
      throws TransferException, RpcException, InterruptedException {
    Workspace work = workspaces.take(at.link().connection());
    try {
      ExposureMap map = writable(at, offset, offset + length, offset + length);
      if (map == null) {
        return false;
      }
      work.batch.clear();
      steps.store(at, work, map, offset, offset + length, local);
      steps.execute(at, work, length);
      return true;
    } finally {
      workspaces.giveBack(work);
    }
  }

  /** Returns DONE, or the size word with which to do it again. */
  private long write(
      Attachment at, Workspace work, long known, long offset, int length, Local local)
      throws TransferException, RpcException, InterruptedException {
    long end = offset + length;
    long word = known;
    if (Slot.isDirect(word) && end > Slot.sizeOf(word)) {
      stores.write(at, work, offset, length, local);
      return DONE;
    }
    ExposureMap map = writable(at, offset, end, wantedEnd(word, offset, length));
    if (map == null) {
      return otherWord(at, work, word);
    }
    if (offset > Slot.sizeOf(word)) {
      word = growTo(at, work, offset);
      if (offset > Slot.sizeOf(word) || Slot.isDirect(word)) {
        return word;
      }
    }
    long now = Slot.nanos(Instant.now());
    long nanos = Slot.after(Math.max(at.ctimeNanos(), floor.get()), now);
    boolean grows = end > Slot.sizeOf(word);
    // A clock that is behind tells no difference.
    boolean writeTimes = nanos != now || isOff(at.mtimeNanos(), nanos);
    work.batch.clear();
    steps.store(at, work, map, offset, end, local);
    if (writeTimes) {
      work.writeTimes(at.slotAddress(), at.slotKey(), nanos);
    }
    boolean swaps = grows && !at.isSizeSwappedByCall();
    if (swaps) {
      work.swapSize(at.slotAddress(), at.slotKey(), word, Slot.word(Slot.epochOf(word), end));
    }
    work.readSlot(at.slotAddress(), at.slotKey());
    steps.execute(at, work, length);
    long seen = steps.slotRead(at, work);
    boolean timesAreOff = !writeTimes && isOff(work.slot(Slot.MTIME), nanos);
    long found = seen;
    if (swaps) {
      found = grow(at, work, word, end);
    } else if (grows) {
      found = growByCall(at, seen, Slot.epochOf(word), end);
    }
    if (Slot.epochOf(found) != Slot.epochOf(word)) {
      at.forget(Slot.sizeOf(found), Long.MAX_VALUE);
      return found;
    }
    if (timesAreOff) {
      work.batch.clear();
      work.writeTimes(at.slotAddress(), at.slotKey(), Slot.after(work.slot(Slot.CTIME), nanos));
      steps.execute(at, work, 0);
    }
    return DONE;
  }

  /** After a first swap: swaps until the size is at least the end; returns the word found last. */
  private long grow(Attachment at, Workspace work, long first, long end)
      throws TransferException, InterruptedException {
    long expected = first;
    long old = work.oldSizeWord();
    while (old != expected && Slot.epochOf(old) == Slot.epochOf(first) && Slot.sizeOf(old) < end) {
      expected = old;
      work.batch.clear();
      work.swapSize(
          at.slotAddress(), at.slotKey(), expected, Slot.word(Slot.epochOf(expected), end));
      steps.execute(at, work, 0);
      old = work.oldSizeWord();
    }
    return old;
  }

  /**
   * After the data and times are in place: has the home swap the size, unless the slot shows that
   * another host has done so or that the epoch is over. The home checks the epoch itself, so the
   * slot need not be read again. It may be asked twice: the size becomes at least so much. Returns
   * the size word found last.
   */
  private long growByCall(Attachment at, long seen, int epoch, long end)
      throws RpcException, InterruptedException {
    if (Slot.epochOf(seen) != epoch || Slot.sizeOf(seen) >= end) {
      return seen;
    }
    HomeCall call =
        HomeCall.newBuilder()
            .setInode(inode.value())
            .setGrow(Grow.newBuilder().setEpoch(epoch).setSize(end))
            .build();
    long found = caller.once(at.link(), call, steps.deadlineFor(0)).getSizeWord();
    at.sizeWord(found);
    return found;
  }

  /**
   * Before a write that leaves a gap after the end: the home moves the size to where the gap ends,
   * because only it can tell whether the memory in between is clean. Returns the new size word.
   */
  private long growTo(Attachment at, Workspace work, long offset)
      throws TransferException, RpcException, InterruptedException {
    long word = steps.refresh(at, work);
    if (offset <= Slot.sizeOf(word)) {
      return word;
    }
    HomeCall call =
        HomeCall.newBuilder()
            .setInode(inode.value())
            .setAllocate(
                Allocate.newBuilder()
                    .setMode(AllocateMode.ALLOCATE_MODE_ALLOCATE)
                    .setOffset(offset - 1)
                    .setLength(1))
            .build();
    caller.once(at.link(), call, steps.deadlineFor(offset - Slot.sizeOf(word)));
    return steps.refresh(at, work);
  }

  /** Adds the writing of times that are now, and after every one known of. */
  void stamp(Attachment at, Workspace work) {
    long now = Slot.nanos(Instant.now());
    long nanos = Slot.after(Math.max(at.ctimeNanos(), floor.get()), now);
    work.writeTimes(at.slotAddress(), at.slotKey(), nanos);
  }

  /** The home exposed less than was asked for: because the region became direct, or shorter. */
  long otherWord(Attachment at, Workspace work, long known)
      throws TransferException, InterruptedException {
    long word = steps.refresh(at, work);
    if (word == known) {
      throw new TransferException(
          TransferException.Reason.DISCONNECTED, "the home exposed less than was asked for");
    }
    return word;
  }

  /** Null if the home does not expose all of the range, as it is beyond the end now. */
  @Nullable ExposureMap writable(Attachment at, long offset, long end, long wanted)
      throws TransferException, RpcException, InterruptedException {
    ExposureMap map = at.exposures();
    if (map.covers(offset, end, true)) {
      return map;
    }
    try {
      map = steps.expose(at, offset, end, wanted, true);
    } catch (FsException e) {
      if (e.errno() != Errno.ENOSPC || wanted == end) {
        throw e;
      }
      map = steps.expose(at, offset, end, end, true);
    }
    return map.covers(offset, end, true) ? map : null;
  }

  private long wantedEnd(long word, long offset, int length) {
    long end = offset + length;
    long ahead = offset == sequentialEnd ? Math.min(MOST_AHEAD, sequentialBytes) : 0;
    if (end <= Slot.sizeOf(word) || ahead <= length) {
      return end;
    }
    hasAskedAhead = true;
    return Math.min(offset + ahead, Region.MAX_SIZE - 1);
  }

  private void noteSequence(long offset, int length) {
    long before = offset == sequentialEnd ? sequentialBytes : 0;
    sequentialEnd = offset + length;
    sequentialBytes = before + length;
  }

  private static boolean isOff(long mtimeNanos, long nowNanos) {
    return Math.abs(nowNanos - mtimeNanos) > MTIME_GRAIN_NANOS;
  }
}
