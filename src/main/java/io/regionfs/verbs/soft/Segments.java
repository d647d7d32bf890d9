package io.regionfs.verbs.soft;

import org.jspecify.annotations.Nullable;

/** Pieces of registered memory that a message is gathered from or scattered to. */
final class Segments {
  final long[] address;
  final int[] length;

  /** The memory of each piece; null for bytes that the device itself holds. */
  final @Nullable SoftMemoryRegion[] region;

  int count;

  Segments(int capacity) {
    address = new long[capacity];
    length = new int[capacity];
    region = new SoftMemoryRegion[capacity];
  }

  void clear() {
    count = 0;
  }

  /** Adds a piece; an empty one is left out. */
  void add(long from, int bytes, @Nullable SoftMemoryRegion memory) {
    if (bytes > 0) {
      address[count] = from;
      length[count] = bytes;
      region[count] = memory;
      count++;
    }
  }
}
