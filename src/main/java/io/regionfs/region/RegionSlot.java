package io.regionfs.region;

import io.regionfs.data.Slot;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.posix.Memory;
import java.time.Instant;

/**
 * The home's own access to a region's slot. Other hosts read, write and swap its words at any time,
 * so each access here is one volatile load, store or swap.
 *
 * <p>The size has its own way of being swapped, {@link SizeWord}. Times are swapped by the
 * processor on every device: other hosts only ever store them, and an aligned store of 8 bytes
 * comes before or after a processor's swap, never inside it.
 */
final class RegionSlot {
  private final int index;
  private final long address;
  private final int remoteKey;
  private final SizeWord sizeWord;

  RegionSlot(int index, long address, int remoteKey) {
    this.index = index;
    this.address = address;
    this.remoteKey = remoteKey;
    this.sizeWord = new SizeWord(address + Slot.SIZE, remoteKey);
  }

  int index() {
    return index;
  }

  long address() {
    return address;
  }

  int remoteKey() {
    return remoteKey;
  }

  /** Makes a free slot a region's: empty, changed now. */
  void occupy(InodeId inode, Instant now) {
    if (size() != 0 || isDirect()) {
      sizeWord.beginEpoch(0, false); // a former process could not vacate it
    }
    setAllocatedBytes(0);
    long nanos = Slot.nanos(now);
    Memory.putLongVolatile(address + Slot.MTIME, nanos);
    Memory.putLongVolatile(address + Slot.CTIME, nanos);
    Memory.putLongVolatile(address + Slot.INODE, inode.value());
  }

  /**
   * Makes it a free slot. The epoch goes on, so that the swap of a host that still believes in the
   * old region fails: so whoever has the slot next may change the size by its processor again.
   *
   * @throws FsException EIO if this host's device cannot do it: the slot must not be used again
   */
  void vacate() {
    Memory.putLongVolatile(address + Slot.INODE, 0);
    sizeWord.beginEpoch(0, false);
    for (int word = Slot.MTIME; word < Slot.BYTES; word += Long.BYTES) {
      Memory.putLongVolatile(address + word, 0);
    }
  }

  /** 0 when free. */
  InodeId inode() {
    return new InodeId(Memory.getLongVolatile(address + Slot.INODE));
  }

  long size() {
    return Slot.sizeOf(sizeWord.get());
  }

  int epoch() {
    return Slot.epochOf(sizeWord.get());
  }

  /** The length of the file is the size; what is here may be less. */
  boolean isDirect() {
    return Slot.isDirect(sizeWord.get());
  }

  SizeWord sizeWord() {
    return sizeWord;
  }

  /** Makes the size at least so much. */
  void growTo(long size) {
    sizeWord.growTo(size);
  }

  /** Makes the size at most so much and begins a new epoch; returns the new size. */
  long shrinkTo(long size) {
    return sizeWord.shrinkTo(size);
  }

  long allocatedBytes() {
    return Memory.getLongVolatile(address + Slot.ALLOCATED);
  }

  void setAllocatedBytes(long bytes) {
    Memory.putLongVolatile(address + Slot.ALLOCATED, bytes);
  }

  /**
   * The bytes changed now. Where the clock has fallen behind the last change, both times go on from
   * there: so they never run backwards.
   */
  synchronized void modified(Instant now) {
    Memory.putLongVolatile(address + Slot.MTIME, changed(Slot.nanos(now)));
  }

  /** The modification time is set to any value, as a change of now. */
  synchronized void setModified(Instant mtime, Instant now) {
    changed(Slot.nanos(now));
    Memory.putLongVolatile(address + Slot.MTIME, Slot.nanos(mtime));
  }

  /** Later changes are later than this. */
  synchronized void noEarlierThan(Instant time) {
    long floor = Slot.nanos(time);
    long old = Memory.getLongVolatile(address + Slot.CTIME);
    while (old < floor && !Memory.compareAndSwapLong(address + Slot.CTIME, old, floor)) {
      old = Memory.getLongVolatile(address + Slot.CTIME);
    }
  }

  private long changed(long now) {
    while (true) {
      long old = Memory.getLongVolatile(address + Slot.CTIME);
      long time = Slot.after(old, now);
      if (Memory.compareAndSwapLong(address + Slot.CTIME, old, time)) {
        return time;
      }
    }
  }

  RegionStat stat() {
    return new RegionStat(size(), allocatedBytes(), time(Slot.MTIME), time(Slot.CTIME));
  }

  private Instant time(int word) {
    return Slot.instant(Memory.getLongVolatile(address + word));
  }
}
