package io.regionfs.fs;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the twins of one file's pages are, by the number of the page. They are kept in blocks of
 * neighbours, in the order of being given, so that a mapping that is read from end to end makes few
 * objects. Not for several threads.
 */
final class Twins {
  private static final int PAGE = PageSlab.PAGE_BYTES;
  private static final int BLOCK_PAGES = 16;
  private static final long NO_BLOCK = -1;

  private final Map<Long, Block> blocks = new LinkedHashMap<>();

  /** The block that was looked at last. */
  private long lastNumber = NO_BLOCK;

  private @Nullable Block last;

  private static final class Block {
    /** By page; 0: it has no twin. */
    final long[] addresses = new long[BLOCK_PAGES];

    final long[] givenAt = new long[BLOCK_PAGES];

    /** From which byte on the kernel may have zeroed the page. */
    final short[] zeroedFrom = new short[BLOCK_PAGES];

    int count;
  }

  /** Takes what twins leave behind. */
  interface Taker {
    /**
     * @param pages addresses of pages; zeros are to be passed over
     */
    void give(long[] pages);
  }

  private @Nullable Block block(long number) {
    if (number != lastNumber) {
      last = blocks.get(number);
      lastNumber = number;
    }
    return last;
  }

  private static int inBlock(long page) {
    return (int) (page % BLOCK_PAGES);
  }

  /** Address of a page's twin; 0: it has none. */
  long address(long page) {
    Block block = block(page / BLOCK_PAGES);
    return block == null ? 0 : block.addresses[inBlock(page)];
  }

  /**
   * From which byte on the kernel may have zeroed the page on its own account; its size if nowhere.
   */
  int zeroedFrom(long page) {
    Block block = block(page / BLOCK_PAGES);
    return block == null ? PAGE : block.zeroedFrom[inBlock(page)];
  }

  /** The twin is again what the kernel has, from end to end. */
  void markWhole(long page) {
    Block block = block(page / BLOCK_PAGES);
    if (block != null) {
      block.zeroedFrom[inBlock(page)] = PAGE;
    }
  }

  /** The kernel may zero all pages from this byte of the file on. */
  void zeroed(long from) {
    blocks.forEach(
        (number, block) -> {
          for (int i = 0; i < BLOCK_PAGES; i++) {
            long start = (number * BLOCK_PAGES + i) * PAGE;
            if (from < start + PAGE) {
              int first = (int) Math.max(0, from - start);
              block.zeroedFrom[i] = (short) Math.min(first, block.zeroedFrom[i]);
            }
          }
        });
  }

  /**
   * Gives neighbouring pages twins.
   *
   * @param first number of the first page
   * @param addresses of their twins, 0: none. Has those that they had before when this returns
   */
  void put(long first, long[] addresses, long givenAt) {
    Block block = null;
    for (int i = 0; i < addresses.length; i++) {
      if (addresses[i] == 0) {
        continue;
      }
      long page = first + i;
      int at = inBlock(page);
      if (block == null || page / BLOCK_PAGES != lastNumber) {
        block = youngest(page / BLOCK_PAGES);
      }
      long old = block.addresses[at];
      block.count += old == 0 ? 1 : 0;
      block.addresses[at] = addresses[i];
      block.givenAt[at] = givenAt;
      block.zeroedFrom[at] = PAGE;
      addresses[i] = old;
    }
  }

  private Block youngest(long number) {
    Block block = blocks.remove(number);
    if (block == null) {
      block = new Block();
    }
    blocks.put(number, block);
    last = block;
    lastNumber = number;
    return block;
  }

  /**
   * Forgets the twins of pages that were given earlier than a time.
   *
   * @param first number of the first page
   * @param end number of the page after the last
   */
  void forget(long first, long end, long before, Taker taker) {
    lastNumber = NO_BLOCK;
    long firstBlock = first / BLOCK_PAGES;
    long endBlock = (end - 1) / BLOCK_PAGES + 1;
    if (endBlock - firstBlock <= blocks.size()) {
      for (long number = firstBlock; number < endBlock; number++) {
        Block block = blocks.get(number);
        if (block != null && forget(number, block, first, end, before, taker)) {
          blocks.remove(number);
        }
      }
      return;
    }
    Iterator<Map.Entry<Long, Block>> entries = blocks.entrySet().iterator();
    while (entries.hasNext()) {
      Map.Entry<Long, Block> entry = entries.next();
      if (forget(entry.getKey(), entry.getValue(), first, end, before, taker)) {
        entries.remove();
      }
    }
  }

  /** Whether none is left in the block. */
  private static boolean forget(
      long number, Block block, long first, long end, long before, Taker taker) {
    long start = number * BLOCK_PAGES;
    int from = (int) Math.max(0, Math.min(BLOCK_PAGES, first - start));
    int to = (int) Math.max(0, Math.min(BLOCK_PAGES, end - start));
    long[] gone = new long[BLOCK_PAGES];
    int count = 0;
    for (int i = from; i < to; i++) {
      if (block.addresses[i] != 0 && block.givenAt[i] < before) {
        gone[count++] = block.addresses[i];
        block.addresses[i] = 0;
      }
    }
    if (count > 0) {
      block.count -= count;
      taker.give(gone);
    }
    return block.count == 0;
  }

  /**
   * A page of those that have been there the longest and its neighbours, all of which have twins:
   * one that has none may be being read, and who drops it would wait for that.
   *
   * @param most pages
   * @return the number of the first page, and of the one after the last; null if there are none
   */
  long @Nullable [] eldest(int most) {
    Iterator<Long> numbers = blocks.keySet().iterator();
    if (!numbers.hasNext()) {
      return null;
    }
    long first = numbers.next() * BLOCK_PAGES;
    while (address(first) == 0) {
      first++;
    }
    long end = first + 1;
    while (end - first < most && address(end) != 0) {
      end++;
    }
    while (end - first < most && first > 0 && address(first - 1) != 0) {
      first--;
    }
    return new long[] {first, end};
  }
}
