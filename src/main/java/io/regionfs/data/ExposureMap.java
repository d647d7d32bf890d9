package io.regionfs.data;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * What a home has exposed of one region, sorted by offset, without overlaps. Immutable: a reader
 * works on one state of it; additions make a new map.
 */
final class ExposureMap {
  static final ExposureMap EMPTY = new ExposureMap(new Entry[0]);

  private final Entry[] entries;

  private ExposureMap(Entry[] entries) {
    this.entries = entries;
  }

  /**
   * A piece of the region [offset, end) at an address of the home.
   *
   * @param key the remote key, which may serve several entries
   */
  record Entry(long offset, long end, long address, int key, boolean writable) {
    long addressOf(long position) {
      return address + (position - offset);
    }

    private Entry from(long start) {
      return start <= offset ? this : new Entry(start, end, addressOf(start), key, writable);
    }

    private Entry to(long stop) {
      return stop >= end ? this : new Entry(offset, stop, address, key, writable);
    }

    private boolean continues(Entry before) {
      return before.end == offset
          && before.key == key
          && before.writable == writable
          && before.addressOf(offset) == address;
    }
  }

  int size() {
    return entries.length;
  }

  Entry get(int index) {
    return entries[index];
  }

  /** The first entry that ends after a position; {@link #size} if there is none. */
  int firstEndingAfter(long position) {
    int low = 0;
    int high = entries.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (entries[middle].end <= position) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Whether all of a range is exposed, for writing if asked. */
  boolean covers(long from, long to, boolean write) {
    long at = from;
    for (int i = firstEndingAfter(from); at < to; i++) {
      if (i == entries.length || entries[i].offset > at || (write && !entries[i].writable)) {
        return false;
      }
      at = entries[i].end;
    }
    return true;
  }

  /** With one more, which takes the place of what it overlaps. */
  ExposureMap with(Entry added) {
    Entry[] result = new Entry[entries.length + 2];
    int count = 0;
    int i = 0;
    for (; i < entries.length && entries[i].offset < added.offset; i++) {
      result[count++] = entries[i].to(added.offset);
    }
    Entry tail = null;
    if (i > 0 && entries[i - 1].end > added.end) {
      tail = entries[i - 1].from(added.end);
    }
    count = append(result, count, added);
    if (tail != null) {
      count = append(result, count, tail);
    }
    for (; i < entries.length; i++) {
      if (entries[i].end > added.end) {
        count = append(result, count, entries[i].from(added.end));
      }
    }
    return new ExposureMap(Arrays.copyOf(result, count));
  }

  private static int append(Entry[] result, int count, Entry entry) {
    if (count > 0 && entry.continues(result[count - 1])) {
      Entry before = result[count - 1];
      result[count - 1] =
          new Entry(before.offset, entry.end, before.address, before.key, before.writable);
      return count;
    }
    result[count] = entry;
    return count + 1;
  }

  /** Without every exposure that touches a range: a home withdraws exposures as a whole. */
  ExposureMap without(long from, long to) {
    Set<Integer> keys = new HashSet<>();
    for (int i = firstEndingAfter(from); i < entries.length && entries[i].offset < to; i++) {
      keys.add(entries[i].key);
    }
    return keys.isEmpty()
        ? this
        : new ExposureMap(
            Arrays.stream(entries)
                .filter(entry -> !keys.contains(entry.key))
                .toArray(Entry[]::new));
  }

  /** Without what is exposed of a range itself, because the home says what is there now. */
  ExposureMap cleared(long from, long to) {
    int first = firstEndingAfter(from);
    if (first == entries.length || entries[first].offset >= to) {
      return this;
    }
    Entry[] result = new Entry[entries.length + 1];
    int count = 0;
    for (Entry entry : entries) {
      if (entry.end <= from || entry.offset >= to) {
        result[count++] = entry;
        continue;
      }
      if (entry.offset < from) {
        result[count++] = entry.to(from);
      }
      if (entry.end > to) {
        result[count++] = entry.from(to);
      }
    }
    return new ExposureMap(Arrays.copyOf(result, count));
  }
}
