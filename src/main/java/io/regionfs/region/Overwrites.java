package io.regionfs.region;

import io.regionfs.data.PageRuns;

/** Bytes of pages that processes here changed through mappings: within the size, which stays. */
final class Overwrites {
  private final RegionSlot slot;
  private final RegionMemory memory;
  private final RegionLock lock;
  private final LentSlot lentSlot;

  Overwrites(RegionSlot slot, RegionMemory memory, RegionLock lock, LentSlot lentSlot) {
    this.slot = slot;
    this.memory = memory;
    this.lock = lock;
    this.lentSlot = lentSlot;
  }

  /**
   * @param offset where in the region the pages begin
   * @param address where in memory they begin
   */
  void overwrite(long offset, PageRuns runs, long address) {
    long end = lockToOverwrite(offset + runs.first(), offset + runs.last());
    try {
      for (int run = 0; run < runs.size(); run++) {
        long start = offset + runs.start(run);
        long length = Math.min(end, offset + runs.end(run)) - start;
        if (length > 0) {
          store(start, length, new MemorySource(address + runs.start(run)));
        }
      }
      if (lentSlot.direct() == null) {
        lentSlot.touch();
      }
    } finally {
      lock.unlockShared();
    }
  }

  private void store(long offset, long length, MemorySource source) {
    DirectMode direct = lentSlot.direct();
    if (direct != null) {
      direct.write(offset, length, source);
    } else {
      memory.bytes().write(offset, length, source);
    }
  }

  /**
   * Takes the shared lock, with memory in the part of the range that the file has; returns its end.
   */
  private long lockToOverwrite(long from, long to) {
    lock.shared();
    long end = Math.min(to, size());
    if (lentSlot.direct() != null || from >= end || memory.extents().contains(from, end)) {
      return end;
    }
    lock.unlockShared();
    lock.exclusive();
    try {
      end = Math.min(to, size());
      if (lentSlot.direct() == null && from < end) {
        memory.allocate(from, end);
      }
      lock.sharedToo();
      return end;
    } finally {
      lock.unlockExclusive();
    }
  }

  private long size() {
    DirectMode direct = lentSlot.direct();
    return direct != null ? direct.sync() : slot.size();
  }
}
