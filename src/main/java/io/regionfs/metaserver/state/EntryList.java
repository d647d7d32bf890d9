package io.regionfs.metaserver.state;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/**
 * The entries of a directory in the order of their cookies, in chunks. Entries are only ever added
 * at the end; neither that nor a removal moves more than a chunk.
 */
final class EntryList {
  private static final int FIRST_SIZE = 4;
  private static final int FULL = 256;

  /** In ascending order; none but the last one is without entries. */
  private final List<Chunk> chunks = new ArrayList<>(1);

  private int size;

  /** Removed entries leave a hole until three quarters are holes. */
  private static final class Chunk {
    private final long firstCookie;
    private Entry[] slots = new Entry[FIRST_SIZE];
    private int used;
    private int live;

    private Chunk(long firstCookie) {
      this.firstCookie = firstCookie;
    }

    private void append(Entry entry) {
      if (used == slots.length) {
        slots = Arrays.copyOf(slots, Math.min(FULL, 2 * used));
      }
      slots[used++] = entry;
      live++;
    }

    private void remove(Entry entry) {
      for (int i = 0; i < used; i++) {
        if (slots[i] == entry) {
          slots[i] = null;
          live--;
        }
      }
      if (live <= used / 4) {
        pack();
      }
    }

    private void pack() {
      Entry[] packed = new Entry[Math.max(FIRST_SIZE, live)];
      int to = 0;
      for (int i = 0; i < used; i++) {
        if (slots[i] != null) {
          packed[to++] = slots[i];
        }
      }
      slots = packed;
      used = to;
    }
  }

  int size() {
    return size;
  }

  /** Its cookie must be larger than all before. */
  void append(Entry entry) {
    if (chunks.isEmpty() || chunks.get(chunks.size() - 1).used == FULL) {
      chunks.add(new Chunk(entry.cookie));
    }
    chunks.get(chunks.size() - 1).append(entry);
    size++;
  }

  /** It must be in the list. */
  void remove(Entry entry) {
    int at = chunkWith(entry.cookie);
    Chunk chunk = chunks.get(at);
    chunk.remove(entry);
    if (chunk.live == 0) {
      chunks.remove(at);
    }
    size--;
  }

  /** The last chunk that begins at or before the cookie, or the first. */
  private int chunkWith(long cookie) {
    int low = 0;
    int high = chunks.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (chunks.get(middle).firstCookie <= cookie) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /**
   * Visits the entries after the cookie, in order, as long as the visitor says yes; false if it
   * said no.
   */
  boolean visitAfter(long cookie, Predicate<Entry> visitor) {
    for (int at = chunkWith(cookie); at < chunks.size(); at++) {
      Chunk chunk = chunks.get(at);
      for (int i = 0; i < chunk.used; i++) {
        Entry entry = chunk.slots[i];
        if (entry != null && entry.cookie > cookie && !visitor.test(entry)) {
          return false;
        }
      }
    }
    return true;
  }
}
