package io.regionfs.fs;

import io.regionfs.data.PageRuns;
import io.regionfs.posix.Memory;

/** Finds the bytes in which a page differs from its twin. */
final class PageDiff {
  private PageDiff() {}

  /**
   * Adds what differs to the runs, byte by byte exactly.
   *
   * @param twin address of what it was
   * @param page address of what it is
   * @param length in bytes
   * @param position where the page is, for the runs; which have room for {@code length / 2 + 1}
   */
  static void add(long twin, long page, int length, int position, PageRuns runs) {
    add(twin, page, length, position, runs, 0, 0);
  }

  /**
   * The same, where the kernel may have made a part of the page zeros on its own account: a zero
   * there is no difference.
   *
   * @param from where that part begins in the page
   * @param to where it ends
   */
  static void add(long twin, long page, int length, int position, PageRuns runs, int from, int to) {
    int at = 0;
    while (at < length) {
      if (at + Long.BYTES <= length && Memory.getLong(twin + at) == Memory.getLong(page + at)) {
        at += Long.BYTES;
        continue;
      }
      int end = Math.min(length, at + Long.BYTES);
      for (; at < end; at++) {
        byte now = Memory.getByte(page + at);
        boolean zeroed = now == 0 && at >= from && at < to;
        if (now != Memory.getByte(twin + at) && !zeroed) {
          runs.add(position + at, position + at + 1);
        }
      }
    }
  }
}
