package io.regionfs.region;

import io.regionfs.posix.LibC;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A mapped part of a region: 64 MiB, aligned in the file. Always mapped whole, since a sparse
 * mapping costs nothing until touched. It stays mapped while in use: local copies use it for their
 * time, exposures for theirs.
 */
final class Piece {
  /** Also the longest exposure. */
  static final long BYTES = 64L << 20;

  private static final int RETIRED = -1;

  private final ConcurrentMap<Integer, Piece> owner;
  private final int index;
  private final long address;
  private final AtomicInteger uses = new AtomicInteger();

  /** Set by every use, cleared by the clock's hand: what has not been used since goes first. */
  private volatile boolean recent = true;

  /** Of this piece; guarded by {@link Exposures}. */
  private final List<Exposure> exposures = new ArrayList<>(0);

  Piece(ConcurrentMap<Integer, Piece> owner, int index, long address) {
    this.owner = owner;
    this.index = index;
    this.address = address;
  }

  static int indexOf(long offset) {
    return (int) (offset / BYTES);
  }

  static long start(int index) {
    return index * BYTES;
  }

  /** The end of the piece that contains this offset. */
  static long endAround(long offset) {
    return start(indexOf(offset) + 1);
  }

  /** Where a byte of the region is; the offset lies in this piece. */
  long addressOf(long offset) {
    return address + offset - start(index);
  }

  List<Exposure> exposures() {
    return exposures;
  }

  /** Keeps the piece mapped until {@link #release}, unless it is already going. */
  boolean tryUse() {
    int before = uses.get();
    while (before != RETIRED) {
      if (uses.compareAndSet(before, before + 1)) {
        recent = true;
        return true;
      }
      before = uses.get();
    }
    return false;
  }

  void release() {
    uses.decrementAndGet();
  }

  /** Whether it was used since the last call. */
  boolean wasRecent() {
    boolean was = recent;
    recent = false;
    return was;
  }

  /** From now on nobody can use it; false if somebody does. */
  boolean tryRetire() {
    if (!uses.compareAndSet(0, RETIRED)) {
      return false;
    }
    owner.remove(index, this);
    return true;
  }

  /** Once, by whoever retired it. */
  void unmap() {
    if (LibC.INSTANCE.munmap(address, BYTES) != 0) {
      throw new IllegalStateException("munmap failed with errno " + LibC.errno());
    }
  }
}
