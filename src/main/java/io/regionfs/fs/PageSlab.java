package io.regionfs.fs;

import io.regionfs.posix.HugePages;
import io.regionfs.posix.LibC;
import java.util.BitSet;

/**
 * Pages of one reserved range of addresses. It becomes memory as pages are taken, the lowest ones
 * first, in chunks that are huge pages where the kernel has some. Chunks of which no page is in use
 * are held until they are released. Not for several threads.
 *
 * <p>A heap gives pages back one by one, and they come back through a page fault each.
 */
final class PageSlab implements AutoCloseable {
  static final int PAGE_BYTES = 4096;

  private static final LibC C = LibC.INSTANCE;
  private static final int CHUNK_PAGES = (int) (HugePages.BYTES / PAGE_BYTES);
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_HUGEPAGE = 14;

  private final long mapping;
  private final long mappingBytes;

  /** The first page; a multiple of the size of a huge page. */
  private final long base;

  private final BitSet free;

  /** No page below is free. */
  private int freeFrom;

  /** By chunk: how many pages are in use, and whether it may hold memory. */
  private final int[] used;

  private final BitSet held;

  /** How many chunks hold memory that nobody uses, and the least since it was asked last. */
  private int spare;

  private int leastSpare;

  private PageSlab(long mapping, long mappingBytes, int pages) {
    this.mapping = mapping;
    this.mappingBytes = mappingBytes;
    this.base = (mapping + HugePages.BYTES - 1) / HugePages.BYTES * HugePages.BYTES;
    int chunks = (pages + CHUNK_PAGES - 1) / CHUNK_PAGES;
    free = new BitSet(pages);
    free.set(0, pages);
    used = new int[chunks];
    held = new BitSet(chunks);
  }

  /**
   * @throws OutOfMemoryError if there are no addresses
   */
  static PageSlab create(int pages) {
    int chunks = (pages + CHUNK_PAGES - 1) / CHUNK_PAGES;
    long bytes = (chunks + 1) * HugePages.BYTES;
    int flags = LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | LibC.MAP_NORESERVE;
    long mapping = C.mmap(0, bytes, LibC.PROT_READ | LibC.PROT_WRITE, flags, -1, 0);
    if (mapping == -1) {
      throw new OutOfMemoryError("mmap of " + bytes + " bytes: errno " + LibC.errno());
    }
    PageSlab slab = new PageSlab(mapping, bytes, pages);
    // Only advice: a kernel without huge pages refuses it.
    int unused = C.madvise(slab.base, chunks * HugePages.BYTES, MADV_HUGEPAGE);
    return slab;
  }

  /** The address of a page with any content; 0 if there is none. */
  long take() {
    int page = free.nextSetBit(freeFrom);
    if (page < 0) {
      return 0;
    }
    free.clear(page);
    freeFrom = page + 1;
    int chunk = page / CHUNK_PAGES;
    if (used[chunk]++ == 0) {
      if (held.get(chunk)) {
        spare--;
        leastSpare = Math.min(leastSpare, spare);
      } else {
        held.set(chunk);
      }
    }
    return base + (long) page * PAGE_BYTES;
  }

  void give(long address) {
    int page = (int) ((address - base) / PAGE_BYTES);
    free.set(page);
    freeFrom = Math.min(freeFrom, page);
    int chunk = page / CHUNK_PAGES;
    if (--used[chunk] == 0) {
      spare++;
    }
  }

  long heldBytes() {
    return held.cardinality() * HugePages.BYTES;
  }

  /** How many chunks that hold memory have been spare ever since this was called before. */
  int unneeded() {
    int unneeded = leastSpare;
    leastSpare = spare;
    return unneeded;
  }

  /** Gives the memory of the highest spare chunk back, if there is one. */
  void releaseOne() {
    int chunk = held.previousSetBit(used.length - 1);
    while (chunk >= 0 && used[chunk] > 0) {
      chunk = held.previousSetBit(chunk - 1);
    }
    if (chunk >= 0) {
      // If the kernel refuses, it is held for nothing: the next one that needs it has it.
      int unused = C.madvise(base + chunk * HugePages.BYTES, HugePages.BYTES, MADV_DONTNEED);
      held.clear(chunk);
      spare--;
      leastSpare = Math.min(leastSpare, spare);
    }
  }

  /** The addresses are no longer valid. */
  @Override
  public void close() {
    int unused = C.munmap(mapping, mappingBytes);
  }
}
