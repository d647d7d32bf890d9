package io.regionfs.region;

import io.regionfs.posix.HugePages;

/** Rounding to the pages in which tmpfs gives memory. */
final class Pages {
  static final long BYTES = 4096;

  /** Of a huge page. */
  static final long HUGE_BYTES = HugePages.BYTES;

  private Pages() {}

  static long down(long position) {
    return position & -BYTES;
  }

  /** The next page boundary at or after a position; Long.MAX_VALUE rounds down. */
  static long up(long position) {
    return position > Long.MAX_VALUE - BYTES ? down(position) : down(position + BYTES - 1);
  }

  /** The next boundary of a huge page at or after a position that is no more than a size. */
  static long upHuge(long position) {
    return (position + HUGE_BYTES - 1) & -HUGE_BYTES;
  }
}
