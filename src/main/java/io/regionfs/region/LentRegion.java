package io.regionfs.region;

import io.regionfs.data.BackingFile;
import io.regionfs.data.Ranges;
import io.regionfs.data.ReadSink;
import io.regionfs.data.TransferBuffer;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.RegionStat;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A region at its home, for this host's processes and for the calls of others. Its lock is shared
 * by those that touch bytes and exclusive for those that give or take memory; other hosts touch
 * exposed memory without it, so whoever takes memory closes the exposures first.
 *
 * <p>Bytes beyond the size are zeros, or a writer of another host has put them there and not yet
 * swapped the size; if that writer died they stay. So whatever moves the size over them cleans them
 * first.
 */
final class LentRegion {
  /** Most exposures in one answer: it must fit a message. */
  static final int MAX_EXPOSURES = 64;

  /** A {@link #memoryMark} of a region that holds too little for a huge page. */
  static final long NOTHING_HUGE = 0;

  private final InodeId inode;
  private final InstantSource clock;
  private final RegionSlot slot;
  private final Host host;
  private final RegionMemory memory;
  private final AppendTurn appendTurn = new AppendTurn();
  private final RegionLock lock;
  private final LentSlot lentSlot;
  private final Overwrites overwrites;
  private final RegionShape shape;

  LentRegion(InodeId inode, RegionSlot slot, Host host, InstantSource clock) {
    this.inode = inode;
    this.clock = clock;
    this.slot = slot;
    this.host = host;
    this.memory = new RegionMemory(inode, slot, host);
    this.lock = new RegionLock(inode, memory);
    this.lentSlot = new LentSlot(slot, lock, host, clock);
    this.overwrites = new Overwrites(slot, memory, lock, lentSlot);
    this.shape = new RegionShape(slot, memory, lock, lentSlot);
  }

  RegionSlot slot() {
    return slot;
  }

  /** What needs no memory. */
  LentSlot lentSlot() {
    return lentSlot;
  }

  RegionStat stat() {
    return lentSlot.stat();
  }

  Overwrites overwrites() {
    return overwrites;
  }

  /** What gives and takes memory. */
  RegionShape shape() {
    return shape;
  }

  AppendTurn appendTurn() {
    return appendTurn;
  }

  /** Before anybody else knows the region: its slot and file are a former process's. */
  void recover() {
    memory.recover();
    if (slot.isDirect()) {
      // The kernel used the file to the end, and may have made it longer since the slot was told.
      slot.growTo(host.files().length(inode));
      slot.sizeWord().beginEpoch(Long.MAX_VALUE, false);
      memory.load();
    }
  }

  void read(long offset, int length, TransferBuffer staging, ReadSink sink) {
    lock.shared();
    try {
      DirectMode direct = lentSlot.direct();
      if (direct != null && !direct.readsMemory(offset, length)) {
        requireStaging(length, staging);
        sink.accept(staging.address(), direct.read(offset, length, staging.address()));
        return;
      }
      int bytes = (int) Math.max(0, Math.min(length, slot.size() - offset));
      if (bytes == 0) {
        sink.accept(staging.address(), 0);
      } else {
        memory.bytes().read(offset, bytes, staging, sink);
      }
    } finally {
      lock.unlockShared();
    }
  }

  void write(long offset, long length, MemoryBytes.Source source) {
    lockToStore(offset, length);
    try {
      store(offset, length, source);
    } finally {
      lock.unlockShared();
    }
  }

  /** Writes at the end; the caller has the append turn. Returns where. */
  long append(long length, MemoryBytes.Source source) {
    while (true) {
      long end = slot.size();
      Ranges.checkWrite(end, length);
      lockToStore(end, length);
      try {
        DirectMode direct = lentSlot.direct();
        if (direct != null) {
          return direct.append(length, source);
        }
        // Nothing shrinks it now, and what other hosts' plain writes add meanwhile is theirs.
        if (slot.size() == end) {
          store(end, length, source);
          return end;
        }
      } finally {
        lock.unlockShared();
      }
    }
  }

  private static void requireStaging(int length, TransferBuffer staging) {
    if (length > staging.capacity()) {
      throw new IllegalArgumentException("staging holds less than " + length + " bytes");
    }
  }

  private void store(long offset, long length, MemoryBytes.Source source) {
    DirectMode direct = lentSlot.direct();
    if (direct != null) {
      direct.write(offset, length, source);
      return;
    }
    memory.bytes().write(offset, length, source);
    lentSlot.touch();
    slot.growTo(offset + length);
  }

  /** Takes the shared lock, with memory in the range and zeros between the size and it. */
  private void lockToStore(long offset, long length) {
    lock.shared();
    if (lentSlot.direct() != null
        || (memory.extents().contains(offset, offset + length) && shape.isCleanTo(offset))) {
      return;
    }
    lock.unlockShared();
    lock.exclusive();
    try {
      if (lentSlot.direct() == null) {
        memory.allocate(offset, offset + length);
        shape.cleanTo(offset);
      }
      lock.sharedToo();
    } finally {
      lock.unlockExclusive();
    }
  }

  long seek(long offset, boolean hole) {
    lock.shared();
    try {
      DirectMode direct = lentSlot.direct();
      long size = direct != null ? direct.sync() : slot.size();
      long found = -1;
      if (direct != null) {
        found = direct.seek(offset, hole);
      } else if (offset < size) {
        found = hole ? memory.extents().nextGap(offset) : memory.extents().nextMember(offset);
      }
      if (found < 0 || (!hole && found >= size)) {
        throw new FsException(Errno.ENXIO, "nothing to be found from " + offset);
      }
      return Math.min(found, size);
    } finally {
      lock.unlockShared();
    }
  }

  /** A number that changes with which pages hold memory, or {@link #NOTHING_HUGE}. */
  long memoryMark() {
    if (!memory.isLoaded() || !lock.sharedIfAlive()) {
      return NOTHING_HUGE;
    }
    try {
      DirectMode direct = lentSlot.direct();
      long bytes = direct != null ? direct.heldBytes() : slot.allocatedBytes();
      if (bytes < Pages.HUGE_BYTES) {
        return NOTHING_HUGE;
      }
      return direct != null ? -bytes : memory.changes();
    } finally {
      lock.unlockShared();
    }
  }

  /**
   * Makes a huge page, as {@link RegionMemory#collapse} does, of the next whole one that holds
   * memory throughout; returns where it ends, or −1 if there is none.
   */
  long collapseNext(long offset) {
    lock.shared();
    try {
      DirectMode direct = lentSlot.direct();
      ExtentSet extents = memory.extents();
      long end = offset;
      while (true) {
        long start = direct != null ? direct.seek(end, false) : extents.nextMember(end);
        if (start < 0) {
          return -1;
        }
        end = direct != null ? direct.seek(start, true) : extents.nextGap(start);
        long first = Pages.upHuge(start);
        if (end - first >= Pages.HUGE_BYTES) {
          memory.collapse(first);
          return first + Pages.HUGE_BYTES;
        }
        if (end <= start) {
          return -1; // it became shorter
        }
      }
    } finally {
      lock.unlockShared();
    }
  }

  /** Exposures in order; the answer speaks of the range up to {@code coveredTo}. */
  record Exposed(List<Exposure> exposures, long coveredTo) {}

  /**
   * Exposes the memory in a range, after having given it memory throughout if it is to be written.
   */
  Exposed expose(long offset, long length, boolean write) {
    long end = offset + length;
    long pinBytesPerAnswer = host.exposures().pinBudgetBytes() / 2;
    lock.exclusive();
    try {
      long limit = Long.MAX_VALUE;
      DirectMode direct = lentSlot.direct();
      if (direct != null) {
        limit = direct.prepare(offset, end, write);
      } else if (write) {
        memory.allocate(offset, end);
      }
      List<Exposure> exposures = new ArrayList<>();
      long pinned = 0;
      long at = memory.extents().nextMember(offset);
      while (at >= 0 && at < Math.min(end, limit)) {
        // What one answer exposes must not evict itself.
        if (exposures.size() == MAX_EXPOSURES || pinned >= pinBytesPerAnswer) {
          return new Exposed(exposures, at);
        }
        Exposure exposure = memory.exposeAround(at, write, limit);
        exposures.add(exposure);
        pinned += exposure.length();
        at = memory.extents().nextMember(exposure.end());
      }
      return new Exposed(exposures, end);
    } finally {
      lock.unlockExclusive();
    }
  }

  /** Null if the kernel has it already. */
  @Nullable BackingFile passThrough() {
    lock.exclusive();
    try {
      if (lentSlot.direct() != null) {
        return null;
      }
      long size = slot.size();
      memory.closeExposures(size, Long.MAX_VALUE);
      size = slot.shrinkTo(Long.MAX_VALUE);
      ExtentSet kept = new ExtentSet();
      if (shape.keepsBeyondSize()) {
        memory.extents().forEach(Pages.up(size), Long.MAX_VALUE, kept::add);
      }
      memory.free(size, Long.MAX_VALUE);
      DirectMode mode = DirectMode.enter(slot, memory, kept, clock);
      lentSlot.direct(mode);
      return new LentFile(this, mode);
    } finally {
      lock.unlockExclusive();
    }
  }

  /** The kernel does not use the file any more. */
  void endPassThrough(DirectMode mode) {
    if (lock.exclusiveIfAlive()) {
      try {
        if (mode == lentSlot.direct()) {
          endDirect();
        }
      } finally {
        lock.unlockExclusive();
      }
    }
  }

  private void endDirect() {
    DirectMode mode = lentSlot.direct();
    if (mode != null) {
      lentSlot.direct(null);
      mode.leave();
    }
  }

  int exposureCount() {
    return memory.exposureCount();
  }

  long pinnedBytes() {
    return memory.pinnedBytes();
  }

  /**
   * Waits for local users, closes the exposures, and gives everything back.
   *
   * @param open see {@link RegionMemory#drop}
   */
  void drop(SlotTable slots, boolean open) {
    boolean lived = lock.exclusiveToEnd();
    try {
      if (lived) {
        memory.closeExposures(0, Long.MAX_VALUE);
        memory.drop(open);
        slots.vacate(slot);
      }
    } finally {
      lock.unlockExclusive();
    }
  }

  /** Ends all use of the memory in this process and leaves it to the next. */
  void leave() {
    boolean lived = lock.exclusiveToEnd();
    try {
      if (lived) {
        endDirect();
        memory.closeExposures(0, Long.MAX_VALUE);
        memory.unmap();
      }
    } finally {
      lock.unlockExclusive();
    }
  }
}
