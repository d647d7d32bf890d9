package io.regionfs.region;

/** Rounding to the pages in which tmpfs gives memory. */
final class Pages {
  static final long BYTES = 4096;

  private Pages() {}

  static long down(long position) {
    return position & -BYTES;
  }

  /** The next page boundary at or after a position; Long.MAX_VALUE rounds down. */
  static long up(long position) {
    return position > Long.MAX_VALUE - BYTES ? down(position) : down(position + BYTES - 1);
  }
}
