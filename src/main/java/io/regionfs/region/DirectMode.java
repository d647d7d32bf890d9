package io.regionfs.region;

import io.regionfs.data.Slot;
import io.regionfs.model.FallocateMode;
import io.regionfs.posix.Memory;
import java.time.InstantSource;

/**
 * What is done with a region while the kernel uses its file itself, and reads, writes, extends and
 * maps it without a word.
 *
 * <p>The length of the file is the size; the slot's is a lower bound that {@link #sync} moves. Only
 * this process makes the file shorter or takes memory from it, under the region's exclusive lock:
 * so what lies within the slot's size and in the set of pages may be touched under the shared one.
 * That a page is not in the set says nothing: the kernel may have given it memory. No page beyond
 * the end of the file is touched.
 */
final class DirectMode {
  private final RegionSlot slot;
  private final RegionMemory memory;
  private final DirectFile file;
  private final InstantSource clock;

  /** Pages that were given memory and may not have been touched. Exclusive lock. */
  private final ExtentSet untouched = new ExtentSet();

  /** The file's modification time that the slot's has taken account of. Guarded by this. */
  private long seenMtime;

  private DirectMode(RegionSlot slot, RegionMemory memory, DirectFile file, InstantSource clock) {
    this.slot = slot;
    this.memory = memory;
    this.file = file;
    this.clock = clock;
  }

  /**
   * Begins it. By a holder of the exclusive lock, with no exposure beyond the size: so nobody else
   * can move the size.
   *
   * @param kept pages beyond the size that a process has reserved
   */
  static DirectMode enter(
      RegionSlot slot, RegionMemory memory, ExtentSet kept, InstantSource clock) {
    DirectFile file = memory.openExact(slot.size());
    boolean done = false;
    try {
      DirectMode mode = new DirectMode(slot, memory, file, clock);
      kept.forEach(0, Long.MAX_VALUE, mode::keep);
      mode.absorb();
      // Last: after a crash the length of a file that is marked is the size.
      slot.sizeWord().beginEpoch(Long.MAX_VALUE, true);
      done = true;
      return mode;
    } finally {
      if (!done) {
        file.close();
        memory.reload(slot.size(), new ExtentSet());
      }
    }
  }

  private void keep(long from, long to) {
    file.reserve(from, to);
    memory.extents().add(from, to);
    untouched.add(from, to);
  }

  /** Ends it; by a holder of the exclusive lock. The kernel uses the file no more. */
  void leave() {
    sync();
    long size = slot.sizeWord().beginEpoch(Long.MAX_VALUE, false);
    memory.reload(size, untouched);
  }

  int descriptor() {
    return file.descriptor();
  }

  /** Whether anybody has read or mapped the file since it began. */
  boolean wasRead() {
    return file.state().atimeNanos() != 0;
  }

  /** Memory that the file holds now. */
  long heldBytes() {
    return file.state().bytes();
  }

  /** Once, when nothing else is called any more. */
  void closeFile() {
    file.close();
  }

  /** Takes over size, times and memory from the file; by a holder of the lock. Returns the size. */
  synchronized long sync() {
    DirectFile.State state = takeOver();
    if (state.mtimeNanos() != seenMtime) {
      seenMtime = state.mtimeNanos();
      slot.modified(Slot.instant(seenMtime));
    }
    return state.size();
  }

  /** The same, after a change that is no modification, or whose time is noted otherwise. */
  synchronized long absorb() {
    DirectFile.State state = takeOver();
    seenMtime = state.mtimeNanos();
    return state.size();
  }

  private DirectFile.State takeOver() {
    DirectFile.State state = file.state();
    slot.growTo(state.size());
    memory.recount(state.bytes());
    return state;
  }

  private long changed() {
    slot.modified(clock.instant());
    return absorb();
  }

  private boolean isKnown(long offset, long end) {
    return end <= slot.size() && memory.extents().contains(offset, end);
  }

  /** Whether a read of a range may be one of memory. Shared lock. */
  boolean readsMemory(long offset, int length) {
    return isKnown(offset, offset + length);
  }

  /** Reads through the file; returns how many bytes there are. Shared lock. */
  int read(long offset, int length, long target) {
    return file.read(offset, length, target);
  }

  /** Shared lock. */
  void write(long offset, long length, MemoryBytes.Source source) {
    if (isKnown(offset, offset + length)) {
      memory.bytes().write(offset, length, source);
      slot.modified(clock.instant());
      return;
    }
    requireRoom(offset, offset + length);
    withAddress(
        source,
        length,
        address -> {
          file.write(offset, address, length);
          return 0;
        });
    changed();
  }

  /** Shared lock; the caller has the append turn. Returns where. */
  long append(long length, MemoryBytes.Source source) {
    memory.requireRoom(length);
    long offset = withAddress(source, length, address -> file.append(address, length));
    changed();
    return offset;
  }

  private void requireRoom(long from, long to) {
    boolean isThere = file.seek(from, false) == from && file.seek(from, true) >= to;
    if (!isThere) {
      memory.requireRoom(to - from);
    }
  }

  /** Something to do with bytes in memory. */
  @FunctionalInterface
  private interface AddressUse {
    long with(long address);
  }

  private static long withAddress(MemoryBytes.Source source, long length, AddressUse use) {
    long address = source.addressOrZero();
    if (address != 0) {
      return use.with(address);
    }
    long copy = Memory.allocate(length);
    try {
      source.copy(0, copy, length);
      return use.with(copy);
    } finally {
      Memory.free(copy);
    }
  }

  /** Exclusive lock. */
  void truncate(long size) {
    long old = sync();
    if (size < old || (size == old && memory.extents().end() > Pages.up(size))) {
      memory.closeExposures(size, Long.MAX_VALUE);
      slot.shrinkTo(size);
      file.cut(size);
      forget(Pages.up(size), Long.MAX_VALUE);
    } else if (size > old) {
      memory.requireRoom(Pages.BYTES);
      file.extend(size);
    }
    changed();
  }

  private void forget(long from, long to) {
    if (from < to) {
      memory.extents().remove(from, to);
      untouched.remove(from, to);
    }
  }

  /** Exclusive lock. */
  void allocate(FallocateMode mode, long offset, long length) {
    long end = offset + length;
    switch (mode) {
      case PUNCH_HOLE -> {
        memory.closeExposures(Pages.up(offset), Pages.down(end));
        file.punch(offset, end);
        forget(Pages.up(offset), Pages.down(end));
      }
      case ZERO_RANGE, ZERO_RANGE_KEEP_SIZE -> {
        zero(offset, end);
        reserve(offset, end, mode == FallocateMode.ZERO_RANGE);
      }
      case ALLOCATE -> reserve(offset, end, true);
      case ALLOCATE_KEEP_SIZE -> reserve(offset, end, false);
    }
    changed();
  }

  private void zero(long from, long to) {
    long end = Math.min(to, sync());
    if (from < end) {
      file.addData(memory.extents(), from, end);
      memory.bytes().zero(from, end);
    }
  }

  private void reserve(long offset, long end, boolean grow) {
    long first = Pages.down(offset);
    long last = Pages.up(end);
    file.addData(memory.extents(), first, last);
    ExtentSet gaps = memory.extents().gaps(first, last);
    memory.requireRoom(gaps.bytes());
    gaps.forEach(0, Long.MAX_VALUE, file::reserve);
    if (grow) {
      file.extend(end);
    }
    long touchable = Pages.up(sync());
    gaps.forEach(
        0,
        Long.MAX_VALUE,
        (from, to) -> {
          memory.extents().add(from, to);
          long touched = memory.tryPopulate(from, Math.min(to, touchable));
          if (touched < to) {
            untouched.add(touched, to);
          }
        });
  }

  /** The offset that lseek(2) finds, −1 if there is none. Shared lock. */
  long seek(long offset, boolean hole) {
    return file.seek(offset, hole);
  }

  /**
   * Makes sure of what a range holds, before it is exposed. Exclusive lock.
   *
   * @param fill gives memory to what has none
   * @return the size, which is where exposures end
   */
  long prepare(long offset, long end, boolean fill) {
    long size = sync();
    long last = Math.min(end, size);
    if (offset < last) {
      if (fill) {
        reserve(offset, last, false);
        absorb();
      } else {
        file.addData(memory.extents(), offset, last);
      }
    }
    return size;
  }
}
