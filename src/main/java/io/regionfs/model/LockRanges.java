package io.regionfs.model;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of one file that one owner has locked, shared or exclusive, as fcntl(2) keeps them: a
 * later lock replaces what it meets, neighbours of a kind are one, and what is unlocked in the
 * middle leaves two. Not safe for use by several threads.
 */
public final class LockRanges {
  /** By their first byte; disjoint, and neighbours of the same kind do not touch. */
  private final TreeMap<Long, Range> ranges = new TreeMap<>();

  /**
   * One of them.
   *
   * @param first first byte, from 0
   * @param last last byte, not below the first
   */
  public record Range(long first, long last, boolean exclusive) {}

  /** Locks these bytes, whatever they were before. */
  public void set(long first, long last, boolean exclusive) {
    clear(first, last);
    long from = first;
    long to = last;
    Map.Entry<Long, Range> below = ranges.lowerEntry(first);
    if (below != null && touches(below.getValue(), exclusive, first)) {
      from = below.getKey();
    }
    Range above = last == Long.MAX_VALUE ? null : ranges.get(last + 1);
    if (above != null && above.exclusive == exclusive) {
      to = above.last;
      ranges.remove(above.first);
    }
    ranges.put(from, new Range(from, to, exclusive));
  }

  private static boolean touches(Range below, boolean exclusive, long first) {
    return below.exclusive == exclusive && below.last == first - 1;
  }

  /** Unlocks these bytes. */
  public void clear(long first, long last) {
    Map.Entry<Long, Range> met = ranges.floorEntry(last);
    while (met != null && met.getValue().last >= first) {
      Range range = met.getValue();
      ranges.remove(range.first);
      if (range.last > last) {
        ranges.put(last + 1, new Range(last + 1, range.last, range.exclusive));
      }
      if (range.first < first) {
        ranges.put(range.first, new Range(range.first, first - 1, range.exclusive));
      }
      met = ranges.lowerEntry(Math.max(first, range.first));
    }
  }

  /** Whether all these bytes are locked in this way. */
  public boolean covers(long first, long last, boolean exclusive) {
    Map.Entry<Long, Range> met = ranges.floorEntry(first);
    return met != null && met.getValue().last >= last && met.getValue().exclusive == exclusive;
  }

  /**
   * The last range that has any of these bytes, or null; with {@code exclusiveOnly} the last of the
   * exclusive ones.
   */
  public @Nullable Range find(long first, long last, boolean exclusiveOnly) {
    Map.Entry<Long, Range> met = ranges.floorEntry(last);
    while (met != null && met.getValue().last >= first) {
      if (!exclusiveOnly || met.getValue().exclusive) {
        return met.getValue();
      }
      met = ranges.lowerEntry(met.getKey());
    }
    return null;
  }

  /** In ascending order; valid until the next change. */
  public Iterable<Range> all() {
    return ranges.values();
  }

  public int size() {
    return ranges.size();
  }

  public boolean isEmpty() {
    return ranges.isEmpty();
  }
}
