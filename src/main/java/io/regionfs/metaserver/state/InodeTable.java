package io.regionfs.metaserver.state;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Inodes by number, in ascending order: chunks of pages, so that a number costs no object and no
 * growth ever moves more than a page. Numbers are given in ascending order and never again, so
 * pages are dense unless most of what was made was removed; then they are small enough.
 */
final class InodeTable {
  private static final int PAGE_BITS = 6;
  private static final int PAGE_SIZE = 1 << PAGE_BITS;
  private static final int CHUNK_BITS = 10;
  private static final int CHUNK_SIZE = 1 << CHUNK_BITS;

  /** By the inode's number without its lower bits; no page and no chunk is empty. */
  private final TreeMap<Long, Inode[][]> chunks = new TreeMap<>();

  private int count;

  int count() {
    return count;
  }

  private static long chunkOf(long id) {
    return id >>> (PAGE_BITS + CHUNK_BITS);
  }

  private static int pageOf(long id) {
    return (int) (id >>> PAGE_BITS) & (CHUNK_SIZE - 1);
  }

  private static int slotOf(long id) {
    return (int) id & (PAGE_SIZE - 1);
  }

  @Nullable Inode find(long id) {
    Inode[][] chunk = chunks.get(chunkOf(id));
    Inode[] page = chunk == null ? null : chunk[pageOf(id)];
    return page == null ? null : page[slotOf(id)];
  }

  /** Its number must be free. */
  void add(Inode inode) {
    Inode[][] chunk = chunks.computeIfAbsent(chunkOf(inode.id), key -> new Inode[CHUNK_SIZE][]);
    int page = pageOf(inode.id);
    if (chunk[page] == null) {
      chunk[page] = new Inode[PAGE_SIZE];
    }
    chunk[page][slotOf(inode.id)] = inode;
    count++;
  }

  /** It must be there. */
  void remove(Inode inode) {
    Inode[][] chunk = chunks.get(chunkOf(inode.id));
    if (chunk == null) {
      throw new IllegalStateException("no inode " + inode.id);
    }
    Inode[] page = chunk[pageOf(inode.id)];
    page[slotOf(inode.id)] = null;
    count--;
    if (isEmpty(page)) {
      chunk[pageOf(inode.id)] = null;
      if (isEmpty(chunk)) {
        chunks.remove(chunkOf(inode.id));
      }
    }
  }

  private static boolean isEmpty(Object[] slots) {
    for (Object slot : slots) {
      if (slot != null) {
        return false;
      }
    }
    return true;
  }

  /** The inode with the smallest number above this one; null if there is none. */
  @Nullable Inode after(long id) {
    long from = id + 1;
    Map.Entry<Long, Inode[][]> chunk = chunks.ceilingEntry(chunkOf(from));
    while (chunk != null) {
      boolean same = chunk.getKey() == chunkOf(from);
      Inode found = first(chunk.getValue(), same ? pageOf(from) : 0, same ? slotOf(from) : 0);
      if (found != null) {
        return found;
      }
      chunk = chunks.higherEntry(chunk.getKey());
    }
    return null;
  }

  private static @Nullable Inode first(Inode[][] chunk, int firstPage, int firstSlot) {
    int slot = firstSlot;
    for (int page = firstPage; page < CHUNK_SIZE; page++) {
      for (; chunk[page] != null && slot < PAGE_SIZE; slot++) {
        if (chunk[page][slot] != null) {
          return chunk[page][slot];
        }
      }
      slot = 0;
    }
    return null;
  }
}
