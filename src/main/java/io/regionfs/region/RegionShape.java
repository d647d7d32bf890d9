package io.regionfs.region;

import io.regionfs.model.FallocateMode;

/**
 * What gives memory to a region and takes it away: truncating, allocating, punching holes. Under
 * the region's exclusive lock, which the methods take that do not say otherwise.
 */
final class RegionShape {
  private final RegionSlot slot;
  private final RegionMemory memory;
  private final RegionLock lock;
  private final LentSlot lentSlot;

  /** A process reserved memory beyond the size: it stays until a shrink. Exclusive lock. */
  private boolean keepBeyondSize;

  RegionShape(RegionSlot slot, RegionMemory memory, RegionLock lock, LentSlot lentSlot) {
    this.slot = slot;
    this.memory = memory;
    this.lock = lock;
    this.lentSlot = lentSlot;
  }

  /** By a holder of the exclusive lock. */
  boolean keepsBeyondSize() {
    return keepBeyondSize;
  }

  /** Whether what is between the size and an end reads as zeros. Shared lock. */
  boolean isCleanTo(long end) {
    long size = slot.size();
    return end <= size || memory.bytes().isZero(size, end);
  }

  /**
   * Makes what is between the size and an end read as zeros. A writer of another host that has
   * begun there fails: its exposure is closed, or else its swap meets a new epoch, and it writes
   * again.
   */
  void cleanTo(long end) {
    if (!isCleanTo(end)) {
      memory.closeExposures(slot.size(), end);
      long size = slot.shrinkTo(Long.MAX_VALUE);
      if (size < end) {
        memory.bytes().zero(size, end);
      }
    }
  }

  /**
   * Begins a new epoch with at most this size and frees what is beyond. The exposures go first: a
   * writer that reads the new epoch must not have stored already what is freed here.
   */
  private void cut(long size) {
    memory.closeExposures(Math.min(size, slot.size()), Long.MAX_VALUE);
    memory.free(slot.shrinkTo(size), Long.MAX_VALUE);
    keepBeyondSize = false;
  }

  void truncate(long size) {
    lock.exclusive();
    try {
      DirectMode direct = lentSlot.direct();
      if (direct != null) {
        direct.truncate(size);
        keepBeyondSize &= size > slot.size();
        return;
      }
      long old = slot.size();
      if (size < old || (size == old && memory.extents().end() > Pages.up(size))) {
        cut(size);
      }
      cleanTo(size);
      slot.growTo(size);
      lentSlot.touch();
    } finally {
      lock.unlockExclusive();
    }
  }

  void allocate(FallocateMode mode, long offset, long length) {
    long end = offset + length;
    boolean grows = mode == FallocateMode.ALLOCATE || mode == FallocateMode.ZERO_RANGE;
    lock.exclusive();
    try {
      keepBeyondSize |= !grows && mode != FallocateMode.PUNCH_HOLE;
      DirectMode direct = lentSlot.direct();
      if (direct != null) {
        direct.allocate(mode, offset, length);
        return;
      }
      if (grows) {
        cleanTo(end);
      }
      switch (mode) {
        case PUNCH_HOLE -> {
          memory.closeExposures(Pages.up(offset), Pages.down(end));
          memory.free(offset, end);
        }
        case ZERO_RANGE, ZERO_RANGE_KEEP_SIZE -> {
          memory.bytes().zero(offset, end);
          memory.allocate(offset, end);
        }
        case ALLOCATE, ALLOCATE_KEEP_SIZE -> memory.allocate(offset, end);
      }
      if (grows) {
        slot.growTo(end);
      }
      lentSlot.touch();
    } finally {
      lock.unlockExclusive();
    }
  }

  /** Gives back the memory that was taken ahead of the size, unless a process asked for it. */
  void trim() {
    lock.exclusive();
    try {
      boolean ahead = lentSlot.direct() == null && !keepBeyondSize;
      if (ahead && memory.extents().end() > Pages.up(slot.size())) {
        cut(Long.MAX_VALUE); // a host may be extending it: what it has reached stays
      }
    } finally {
      lock.unlockExclusive();
    }
  }
}
