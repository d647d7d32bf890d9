package io.regionfs.region;

import io.regionfs.data.ReadSink;
import io.regionfs.data.TransferBuffer;
import io.regionfs.posix.Memory;

/**
 * What is done with the bytes of a region's memory: copying them out and in, and zeros. By holders
 * of the region's lock, shared or exclusive; only pages that hold memory are touched.
 */
final class MemoryBytes {
  private final RegionMemory memory;

  MemoryBytes(RegionMemory memory) {
    this.memory = memory;
  }

  /** Fills memory with the bytes that start {@code done} bytes into a write. */
  @FunctionalInterface
  interface Source {
    void copy(long done, long target, long length);

    /** Where all of them are in memory, if they are; else 0. */
    default long addressOrZero() {
      return 0;
    }
  }

  /** Hands the bytes of a range to the sink; holes are zeros. */
  void read(long offset, int length, TransferBuffer staging, ReadSink sink) {
    long end = offset + length;
    if (memory.extents().contains(offset, end) && end <= Piece.endAround(offset)) {
      Piece piece = memory.use(Piece.indexOf(offset));
      try {
        sink.accept(piece.addressOf(offset), length);
      } finally {
        piece.release();
      }
      return;
    }
    if (length > staging.capacity()) {
      throw new IllegalArgumentException("staging holds less than " + length + " bytes");
    }
    copyOut(offset, end, staging.address());
    sink.accept(staging.address(), length);
  }

  private void copyOut(long offset, long end, long target) {
    long at = offset;
    while (at < end) {
      long member = memory.extents().nextMember(at);
      long holeEnd = member < 0 ? end : Math.min(member, end);
      Memory.fill(target + at - offset, holeEnd - at, (byte) 0);
      at = Math.min(end, memory.extents().nextGap(holeEnd));
      if (at > holeEnd) {
        memory.forParts(
            holeEnd,
            at,
            (piece, from, to) ->
                Memory.copy(piece.addressOf(from), target + from - offset, to - from));
      }
    }
  }

  /** Stores into a range, all of which is allocated. */
  void write(long offset, long length, Source source) {
    memory.forParts(
        offset,
        offset + length,
        (piece, from, to) -> source.copy(from - offset, piece.addressOf(from), to - from));
  }

  /** Stores zeros wherever a range is allocated. */
  void zero(long from, long to) {
    memory
        .extents()
        .forEach(
            from,
            to,
            (start, end) ->
                memory.forParts(
                    start, end, (piece, a, b) -> Memory.fill(piece.addressOf(a), b - a, (byte) 0)));
  }

  /** Whether a range reads as zeros. */
  boolean isZero(long from, long to) {
    boolean[] zero = {true};
    memory
        .extents()
        .forEach(
            from,
            to,
            (start, end) ->
                memory.forParts(
                    start, end, (piece, a, b) -> zero[0] &= isZeroAt(piece.addressOf(a), b - a)));
    return zero[0];
  }

  private static boolean isZeroAt(long address, long length) {
    long at = address;
    long end = address + length;
    while (at < end && (at & (Long.BYTES - 1)) != 0) {
      if (Memory.getByte(at++) != 0) {
        return false;
      }
    }
    for (; at + Long.BYTES <= end; at += Long.BYTES) {
      if (Memory.getLong(at) != 0) {
        return false;
      }
    }
    while (at < end) {
      if (Memory.getByte(at++) != 0) {
        return false;
      }
    }
    return true;
  }
}
