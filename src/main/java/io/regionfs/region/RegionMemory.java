package io.regionfs.region;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Which pages of a region hold memory, and the memory. Guarded by the region's lock: shared to
 * touch bytes, exclusive to allocate and free. A page is touched only while it is in the set: tmpfs
 * would give memory to any other without asking the budget.
 */
final class RegionMemory {
  private static final int MADV_POPULATE_WRITE = 23;
  private static final int MADV_COLLAPSE = 25;

  /** A part of one piece. */
  @FunctionalInterface
  interface Part {
    void use(Piece piece, long from, long to);
  }

  private final InodeId inode;
  private final RegionSlot slot;
  private final Host host;
  private final MemoryBytes bytes = new MemoryBytes(this);
  private final ConcurrentMap<Integer, Piece> mapped = new ConcurrentHashMap<>();
  private ExtentSet extents = new ExtentSet();
  private long fileBytes;

  /** What of the budget is this region's. */
  private long countedBytes;

  private volatile boolean loaded = true;

  /** How often pages were given memory; changes under the exclusive lock. */
  private volatile int changes = 1;

  RegionMemory(InodeId inode, RegionSlot slot, Host host) {
    this.inode = inode;
    this.slot = slot;
    this.host = host;
  }

  /**
   * Takes over what a former process allocated, as the slot has it: at least what it really was.
   */
  void recover() {
    countedBytes = Math.max(0, slot.allocatedBytes());
    host.budget().count(countedBytes);
    loaded = false;
  }

  /** False after {@link #recover} until {@link #load}: the set is not known yet. */
  boolean isLoaded() {
    return loaded;
  }

  void load() {
    fileBytes = 0;
    extendFile(Math.max(1, host.files().length(inode)));
    extents = host.files().scan(inode, fileBytes);
    changed();
    recount(extents.bytes());
    loaded = true;
  }

  /** So much of the budget is this region's, whatever it was. */
  void recount(long bytes) {
    host.budget().count(bytes - countedBytes);
    countedBytes = bytes;
    slot.setAllocatedBytes(bytes);
  }

  /**
   * Makes the file end where the size does, for the kernel to use it itself, until {@link #reload}.
   * Nothing beyond the size is allocated or exposed.
   */
  DirectFile openExact(long size) {
    host.files().setLength(inode, size);
    fileBytes = size;
    return DirectFile.open(inode, host.files().path(inode));
  }

  /**
   * Looks what the file holds now, and makes it end where a piece does.
   *
   * @param untouched pages that hold memory and look as if they did not
   */
  void reload(long size, ExtentSet untouched) {
    fileBytes = 0;
    extendFile(Math.max(1, Math.max(size, untouched.end())));
    untouched.forEach(0, Long.MAX_VALUE, (from, to) -> forParts(from, to, RegionMemory::populate));
    extents = host.files().scan(inode, fileBytes);
    changed();
    recount(extents.bytes());
  }

  /**
   * For memory that the kernel is about to give.
   *
   * @throws FsException ENOSPC if the budget has not so much left
   */
  void requireRoom(long bytes) {
    if (!host.budget().tryReserve(bytes)) {
      throw noRoom();
    }
    host.budget().release(bytes);
  }

  private FsException noRoom() {
    return new FsException(
        Errno.ENOSPC, "all " + host.budget().limitBytes() + " bytes of memory are lent");
  }

  ExtentSet extents() {
    return extents;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // by a holder of the exclusive lock
  private void changed() {
    changes++;
  }

  int changes() {
    return changes;
  }

  /**
   * Makes a huge page of a part that holds memory throughout, if it can be: not while a device has
   * it, for one. Shared lock. Source: madvise(2), MADV_COLLAPSE.
   *
   * @throws FsException ENOMEM if the machine has none to give, EINVAL if the kernel never will
   */
  void collapse(long offset) {
    forParts(
        offset,
        offset + Pages.HUGE_BYTES,
        (piece, from, to) -> {
          if (LibC.INSTANCE.madvise(piece.addressOf(from), to - from, MADV_COLLAPSE) != 0) {
            Errno errno = Errno.of(LibC.errno());
            if (errno == Errno.ENOMEM || errno == Errno.EINVAL) {
              throw new FsException(errno, "madvise of region " + inode + ": " + errno);
            }
          }
        });
  }

  /** What is done with the bytes. */
  MemoryBytes bytes() {
    return bytes;
  }

  /**
   * Gives memory, zeroed, to the pages of a range that have none.
   *
   * @throws FsException ENOSPC, and then nothing has changed
   */
  void allocate(long offset, long end) {
    long last = Pages.up(end);
    ExtentSet gaps = extents.gaps(Pages.down(offset), last);
    if (gaps.bytes() == 0) {
      return;
    }
    if (!host.budget().tryReserve(gaps.bytes())) {
      throw noRoom();
    }
    boolean done = false;
    try {
      extendFile(last);
      // Counted before it is there: after a crash the slot never says less than the file holds.
      slot.setAllocatedBytes(extents.bytes() + gaps.bytes());
      reserve(gaps);
      gaps.forEach(0, last, extents::add);
      countedBytes = extents.bytes();
      changed();
      done = true;
    } finally {
      if (!done) {
        slot.setAllocatedBytes(extents.bytes());
        host.budget().release(gaps.bytes());
      }
    }
  }

  private void reserve(ExtentSet gaps) {
    try {
      host.files().reserve(inode, gaps);
      gaps.forEach(0, Long.MAX_VALUE, (from, to) -> forParts(from, to, RegionMemory::populate));
    } catch (FsException e) {
      gaps.forEach(0, Long.MAX_VALUE, (from, to) -> host.files().punch(inode, from, to));
      throw e;
    }
  }

  /**
   * A sparse file costs nothing, so it always ends where a piece does: all of a piece is mapped.
   */
  private void extendFile(long end) {
    if (end > fileBytes) {
      long length = Piece.endAround(end - 1);
      host.files().setLength(inode, length);
      fileBytes = length;
    }
  }

  /**
   * Touches the pages: cheaper here than one fault each in the copy that follows, and only a
   * touched page looks like data to a later scan.
   */
  private static void populate(Piece piece, long from, long to) {
    long address = piece.addressOf(from);
    if (LibC.INSTANCE.madvise(address, to - from, MADV_POPULATE_WRITE) != 0) {
      // Kernels before 5.14 do not know it.
      for (long at = address; at < address + to - from; at += Pages.BYTES) {
        Memory.putByte(at, (byte) 0);
      }
    }
  }

  /**
   * Touches pages of which the kernel may change the bytes meanwhile; returns up to where. They
   * hold memory and lie within the file.
   */
  long tryPopulate(long from, long to) {
    long at = from;
    while (at < to) {
      long start = at;
      long end = Math.min(to, Piece.endAround(at));
      boolean[] done = {false};
      forParts(
          start,
          end,
          (piece, a, b) ->
              done[0] = LibC.INSTANCE.madvise(piece.addressOf(a), b - a, MADV_POPULATE_WRITE) == 0);
      if (!done[0]) {
        return at;
      }
      at = end;
    }
    return at;
  }

  /**
   * Makes a range read as zeros: whole pages give their memory back, parts of pages are zeroed. The
   * whole pages must not be exposed.
   */
  void free(long offset, long end) {
    long first = Pages.up(offset);
    long last = Pages.down(Math.min(end, extents.end()));
    bytes.zero(offset, Math.min(first, end));
    if (first <= last) {
      bytes.zero(last, Math.min(end, extents.end()));
    }
    if (!extents.intersects(first, last)) {
      return;
    }
    host.files().punch(inode, first, last);
    long freed = extents.remove(first, last);
    countedBytes = extents.bytes();
    slot.setAllocatedBytes(countedBytes);
    host.budget().release(freed);
  }

  /**
   * Gives everything back; the region is of no use afterwards. Nothing is exposed or in use.
   *
   * @param open programs here may have the file open or mapped by passthrough: no old bytes stay
   */
  void drop(boolean open) {
    host.pieces().unmapAll(mapped);
    if (open) {
      host.files().setLength(inode, 0);
    }
    host.files().delete(inode);
    host.budget().release(countedBytes);
    countedBytes = 0;
    extents = new ExtentSet();
  }

  /** Unmaps, and leaves the file to a later process. Nothing is exposed or in use. */
  void unmap() {
    host.pieces().unmapAll(mapped);
  }

  void closeExposures(long from, long to) {
    if (!mapped.isEmpty() && from < to) {
      host.exposures().closeOverlapping(piecesIn(from, to), from, to);
    }
  }

  int exposureCount() {
    return host.exposures().countOf(mapped.values());
  }

  long pinnedBytes() {
    return host.exposures().pinnedBytesOf(mapped.values());
  }

  private Collection<Piece> piecesIn(long from, long to) {
    List<Piece> pieces = new ArrayList<>();
    mapped.forEach(
        (index, piece) -> {
          if (Piece.start(index) < to && Piece.start(index) + Piece.BYTES > from) {
            pieces.add(piece);
          }
        });
    return pieces;
  }

  /**
   * An allocated part of the region in one piece, exposed; makes the exposure if there is none.
   *
   * @param limit where it ends at the latest
   */
  Exposure exposeAround(long position, boolean write, long limit) {
    Piece piece = use(Piece.indexOf(position));
    try {
      Exposure found = host.exposures().find(piece, position, write);
      if (found != null) {
        return found;
      }
      long max = host.exposures().maxBytes();
      long from = Math.max(extents.startOfRange(position), Piece.start(Piece.indexOf(position)));
      long to = Math.min(limit, Math.min(extents.nextGap(position), Piece.endAround(position)));
      long[] gap = host.exposures().uncovered(piece, from, to, position, write);
      // The part that holds the position, counted from the start of what is free.
      long start = gap[0] + (position - gap[0]) / max * max;
      return host.exposures().expose(piece, start, Math.min(gap[1], start + max), write);
    } finally {
      piece.release();
    }
  }

  Piece use(int index) {
    return host.pieces().use(inode, mapped, index);
  }

  void forParts(long from, long to, Part part) {
    for (long at = from; at < to; ) {
      long end = Math.min(to, Piece.endAround(at));
      Piece piece = use(Piece.indexOf(at));
      try {
        part.use(piece, at, end);
      } finally {
        piece.release();
      }
      at = end;
    }
  }
}
