package io.regionfs.region;

import java.util.Arrays;

/**
 * Which bytes of a region hold memory: sorted ranges that neither overlap nor touch. Confined by
 * its owner's lock. Two arrays instead of a tree: 16 bytes per range, and most regions have one.
 */
final class ExtentSet {
  private static final long[] NONE = {};

  /** Takes one range of a walk, from inclusive, to exclusive. */
  @FunctionalInterface
  interface Visitor {
    void visit(long from, long to);
  }

  private long[] starts = NONE;
  private long[] ends = NONE;
  private int count;
  private long bytes;

  int count() {
    return count;
  }

  /** Sum of the lengths of all ranges. */
  long bytes() {
    return bytes;
  }

  /** The end of the last range, or 0. */
  long end() {
    return count == 0 ? 0 : ends[count - 1];
  }

  /** Whether every byte of a range is in the set; an empty range is. */
  boolean contains(long from, long to) {
    int i = firstEndingAfter(from);
    return from >= to || (i < count && starts[i] <= from && ends[i] >= to);
  }

  boolean intersects(long from, long to) {
    int i = firstEndingAfter(from);
    return from < to && i < count && starts[i] < to;
  }

  /** The first position in the set that is at or after the given one, or −1. */
  long nextMember(long position) {
    int i = firstEndingAfter(position);
    return i == count ? -1 : Math.max(position, starts[i]);
  }

  /** The first position outside the set that is at or after the given one. */
  long nextGap(long position) {
    int i = firstEndingAfter(position);
    return i < count && starts[i] <= position ? ends[i] : position;
  }

  /** Where the range that contains this position starts; the position itself if none does. */
  long startOfRange(long position) {
    int i = firstEndingAfter(position);
    return i < count ? Math.min(position, starts[i]) : position;
  }

  void add(long from, long to) {
    checkRange(from, to);
    int first = firstEndingAfter(from - 1);
    int last = first;
    long newStart = from;
    long newEnd = to;
    while (last < count && starts[last] <= to) {
      newStart = Math.min(newStart, starts[last]);
      newEnd = Math.max(newEnd, ends[last]);
      bytes -= ends[last] - starts[last];
      last++;
    }
    splice(first, last, 1);
    put(first, newStart, newEnd);
  }

  /** Takes a range out; returns how many bytes of it were in the set. */
  long remove(long from, long to) {
    checkRange(from, to);
    long before = bytes;
    int first = firstEndingAfter(from);
    int last = first;
    while (last < count && starts[last] < to) {
      bytes -= ends[last] - starts[last];
      last++;
    }
    if (first == last) {
      return 0;
    }
    long headStart = starts[first];
    long tailEnd = ends[last - 1];
    boolean head = headStart < from;
    boolean tail = tailEnd > to;
    splice(first, last, (head ? 1 : 0) + (tail ? 1 : 0));
    if (head) {
      put(first, headStart, from);
    }
    if (tail) {
      put(first + (head ? 1 : 0), to, tailEnd);
    }
    return before - bytes;
  }

  /** Visits the parts of a range that are in the set, in order. The visitor must not change it. */
  void forEach(long from, long to, Visitor visitor) {
    for (int i = firstEndingAfter(from); from < to && i < count && starts[i] < to; i++) {
      visitor.visit(Math.max(from, starts[i]), Math.min(to, ends[i]));
    }
  }

  /** The parts of a range that are not in the set, in order, as a set of their own. */
  ExtentSet gaps(long from, long to) {
    ExtentSet gaps = new ExtentSet();
    long at = from;
    for (int i = firstEndingAfter(from); i < count && starts[i] < to; i++) {
      if (starts[i] > at) {
        gaps.add(at, starts[i]);
      }
      at = ends[i];
    }
    if (at < to) {
      gaps.add(at, to);
    }
    return gaps;
  }

  private static void checkRange(long from, long to) {
    if (from < 0 || from >= to) {
      throw new IllegalArgumentException("not a range: " + from + " to " + to);
    }
  }

  private int firstEndingAfter(long position) {
    int found = Arrays.binarySearch(ends, 0, count, position + 1);
    return found >= 0 ? found : -found - 1;
  }

  private void put(int index, long start, long end) {
    starts[index] = start;
    ends[index] = end;
    bytes += end - start;
  }

  /** Replaces the ranges from first to last (exclusive) by room for some others. */
  private void splice(int first, int last, int room) {
    int newCount = count - (last - first) + room;
    if (newCount > starts.length) {
      int capacity = Math.max(newCount, starts.length + (starts.length >> 1));
      starts = Arrays.copyOf(starts, capacity);
      ends = Arrays.copyOf(ends, capacity);
    }
    System.arraycopy(starts, last, starts, first + room, count - last);
    System.arraycopy(ends, last, ends, first + room, count - last);
    count = newCount;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("{");
    for (int i = 0; i < count; i++) {
      text.append(i == 0 ? "" : ", ").append(starts[i]).append("..").append(ends[i]);
    }
    return text.append('}').toString();
  }
}
