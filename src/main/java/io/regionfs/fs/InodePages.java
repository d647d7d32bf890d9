package io.regionfs.fs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.PageRuns;
import io.regionfs.data.ReadSink;
import io.regionfs.data.Region;
import io.regionfs.data.TransferBuffer;
import io.regionfs.model.InodeId;
import io.regionfs.posix.Memory;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The pages of one open file that the kernel keeps for mappings. Of each that may be changed there
 * is a <em>twin</em>: the page as the kernel was given it. When it comes back only the bytes that
 * differ are written, so hosts that change different bytes of one page do not undo each other.
 *
 * <p>The kernel reads and writes one page one after the other, and drops pages only when it is told
 * to or when they are clean. It drops all that it keeps whenever the file is opened: so pages that
 * are given while nobody has the file open for writing need no twins.
 *
 * <p>Its monitor is held to copy and compare pages, never while anything is waited for.
 */
final class InodePages {
  private static final int PAGE = TwinMemory.PAGE_BYTES;
  private static final int MOST_RUNS_OF_PAGE = PAGE / 2 + 1;
  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final ThreadLocal<PageRuns> RUNS =
      ThreadLocal.withInitial(() -> new PageRuns(2 * MOST_RUNS_OF_PAGE));

  private final InodeId inode;
  private final PageKeeper keeper;

  /**
   * Advanced by each drop: what was given under an earlier time is gone when the drop has ended.
   */
  private final AtomicLong time = new AtomicLong();

  /** The latest time at which pages were given, and from when on the kernel may keep some. */
  private final AtomicLong givenAt = new AtomicLong(-1);

  private final AtomicLong keptFrom = new AtomicLong();

  @GuardedBy("this")
  private final Twins twins = new Twins();

  /**
   * From here on twins have only zeros, or are marked as zeroed. The kernel moves sizes on its own
   * account too, so this is not the one that it was told last.
   */
  @GuardedBy("this")
  private long end;

  private volatile boolean writable;

  InodePages(InodeId inode, PageKeeper keeper) {
    this.inode = inode;
    this.keeper = keeper;
  }

  InodeId inode() {
    return inode;
  }

  /** Whether anybody here has the file open for writing, so that pages may be changed. */
  void writable(boolean now) {
    if (writable != now) {
      synchronized (this) {
        writable = now;
        if (!now) {
          forget(0, Long.MAX_VALUE, Long.MAX_VALUE);
        }
      }
      keeper.watch(this, now);
    }
  }

  boolean isWritable() {
    return writable;
  }

  /** Fills pages of the kernel. */
  void read(Region region, long offset, int length, TransferBuffer staging, ReadSink sink) {
    long now = time.get();
    givenAt.accumulateAndGet(now, Math::max);
    keeper.given(this);
    if (!writable) {
      region.read(offset, length, staging, sink);
      return;
    }
    // The kernel has not got these pages now. So who drops pages with twins never waits for a read.
    forgetRange(offset, offset + length);
    int[] read = {0};
    region.read(
        offset,
        length,
        staging,
        (address, count) -> {
          // A twin must be exactly what the kernel gets: a region's own memory may change
          // meanwhile.
          if (address != staging.address()) {
            Memory.copy(address, staging.address(), count);
          }
          read[0] = count;
        });
    // Not in the sink: the region may be locked there, and memory for twins be waited for.
    remember(now, offset, length, staging.address(), read[0]);
    sink.accept(staging.address(), read[0]);
  }

  /**
   * None is to be seen before all are there: who drops pages would wait for this read, which waits
   * for memory that is free when pages are dropped.
   */
  private void remember(long now, long offset, int length, long bytes, int count) {
    long first = offset / PAGE;
    long[] given = new long[(int) ((offset + length - 1) / PAGE - first) + 1];
    keeper.take(this, given, PATIENCE);
    for (int i = 0; i < given.length; i++) {
      if (given[i] != 0) {
        int from = (int) Math.min(count, (first + i) * PAGE - offset);
        int filled = Math.min(PAGE, count - from);
        Memory.copy(bytes + from, given[i], filled);
        if (filled < PAGE) {
          Memory.fill(given[i] + filled, PAGE - filled, (byte) 0);
        }
      }
    }
    put(first, given, now, offset + count);
    keeper.give(given);
  }

  /** Gives back, in the array, what is not needed. */
  private synchronized void put(long first, long[] given, long now, long givenEnd) {
    if (writable) {
      twins.put(first, given, now);
    }
    end = Math.max(end, givenEnd);
  }

  private synchronized void forgetRange(long from, long to) {
    twins.forget(from / PAGE, (to - 1) / PAGE + 1, Long.MAX_VALUE, keeper);
  }

  /** Pages of the kernel come back. Of one without a twin all bytes are written. */
  void write(Region region, long offset, TransferBuffer source, int position, int length) {
    PageRuns runs = RUNS.get();
    runs.clear();
    long bytes = source.address() + position;
    int done = 0;
    int at = 0;
    while (at < length) {
      int part = (int) Math.min(length - at, PAGE - (offset + at) % PAGE);
      compare(offset + at, bytes + at, part, at, runs);
      at += part;
      if (at == length || runs.room() < MOST_RUNS_OF_PAGE) {
        if (!runs.isEmpty()) {
          region.overwrite(offset, source, position, runs);
        }
        written(offset + done, bytes + done, at - done);
        done = at;
        runs.clear();
      }
    }
  }

  private synchronized void compare(long offset, long bytes, int length, int at, PageRuns runs) {
    long twin = twins.address(offset / PAGE);
    if (twin == 0) {
      runs.add(at, at + length);
      return;
    }
    int inPage = (int) (offset % PAGE);
    int zeroedFrom = twins.zeroedFrom(offset / PAGE) - inPage;
    PageDiff.add(twin + inPage, bytes, length, at, runs, zeroedFrom, PAGE - inPage);
  }

  /** From now on only what changes after this differs. */
  private synchronized void written(long offset, long bytes, int length) {
    end = Math.max(end, offset + length);
    int part;
    for (int at = 0; at < length; at += part) {
      int inPage = (int) ((offset + at) % PAGE);
      part = Math.min(length - at, PAGE - inPage);
      long page = (offset + at) / PAGE;
      long twin = twins.address(page);
      if (twin != 0) {
        Memory.copy(bytes + at, twin + inPage, part);
        if (part == PAGE) {
          twins.markWhole(page);
        }
      }
    }
  }

  /** The kernel is told a size: it makes what is beyond zeros. */
  void sizeTold(long size) {
    if (writable) {
      synchronized (this) {
        if (size < end) {
          twins.zeroed(size);
          end = size;
        }
      }
    }
  }

  /**
   * A range was made zeros at the home, and once that is answered the kernel drops what it keeps of
   * it, making zeros of a part of a page. It is not told apart then whether a byte is what it was
   * before or was stored again; so pages that are partly in the range are dropped before. What is
   * read from now on has the zeros already.
   */
  void zeroedAtHome(long from, long to) {
    if (mayBeKept()) {
      dropPart(from);
      dropPart(to);
    }
  }

  private void dropPart(long edge) {
    long start = edge / PAGE * PAGE;
    if (start != edge) {
      keeper.drop(this, start, start + PAGE);
    }
  }

  /** Whether the kernel may keep pages. */
  boolean mayBeKept() {
    return givenAt.get() >= keptFrom.get();
  }

  /**
   * Has the kernel write back and drop all pages. Waits for homes; see {@link
   * FileSystem.ForgetListener#dropPages} for who may call it.
   *
   * <p>Also if it keeps none: answers to stat(2) that are under way are void for it then. It would
   * believe the first of two that cross, and if that is the older one refuse to touch what is
   * beyond the size that this one told.
   */
  void drop(FileSystem.ForgetListener kernel) {
    drop(kernel, 0, Long.MAX_VALUE);
  }

  void drop(FileSystem.ForgetListener kernel, long from, long to) {
    long now = time.incrementAndGet();
    kernel.dropPages(inode, from, to == Long.MAX_VALUE ? to : to - from);
    synchronized (this) {
      forget(from, to, now);
    }
    if (from == 0 && to == Long.MAX_VALUE) {
      keptFrom.accumulateAndGet(now, Math::max);
    }
  }

  /**
   * The same with the page that was given the longest ago and its neighbours that have twins; false
   * if there is none.
   *
   * @param most pages
   */
  boolean dropEldest(FileSystem.ForgetListener kernel, int most) {
    long[] range;
    synchronized (this) {
      range = twins.eldest(most);
    }
    if (range == null) {
      return false;
    }
    drop(kernel, range[0] * PAGE, range[1] * PAGE);
    return true;
  }

  /** Of the pages that begin in this range. */
  @GuardedBy("this")
  private void forget(long from, long to, long before) {
    twins.forget((from + PAGE - 1) / PAGE, (to - 1) / PAGE + 1, before, keeper);
  }
}
