package io.regionfs.fs;

import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the twins of all files within their memory: a thread of its own has the kernel drop the
 * pages that were given the longest ago, before memory runs out. Should it run out all the same, a
 * page goes without a twin.
 */
final class PageKeeper implements Twins.Taker, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PageKeeper.class);
  private static final int MOST_PAGES_AT_ONCE = 2048;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Memory that was not needed for so long is given back. */
  private static final Duration TRIM = Duration.ofSeconds(1);

  private final TwinMemory memory;
  private final Set<InodePages> watched = ConcurrentHashMap.newKeySet();
  private final Thread thread;
  private volatile FileSystem.@Nullable ForgetListener kernel;
  private volatile @Nullable PageWatch watch;
  private volatile boolean closed;
  private volatile boolean warned;

  PageKeeper(long bytes) {
    memory = new TwinMemory(bytes);
    thread = new Thread(this::run, "page-keeper");
    thread.setDaemon(true);
    thread.start();
  }

  /** Who drops pages; before there are any. */
  void kernel(FileSystem.ForgetListener listener) {
    kernel = listener;
  }

  /** Told of all files of which the kernel is given pages. */
  void tell(PageWatch pageWatch) {
    watch = pageWatch;
  }

  /** The kernel is being given pages. */
  void given(InodePages pages) {
    PageWatch told = watch;
    if (told != null) {
      told.given(pages);
    }
  }

  /** Has the kernel drop all pages of a file; by who may wait for it. */
  void drop(InodePages pages) {
    drop(pages, 0, Long.MAX_VALUE);
  }

  /** The same with the pages of a range. */
  void drop(InodePages pages, long from, long to) {
    FileSystem.ForgetListener listener = kernel;
    if (listener != null) {
      pages.drop(listener, from, to);
    }
  }

  /** Whether the pages have twins that this may end. */
  void watch(InodePages pages, boolean now) {
    if (now) {
      watched.add(pages);
    } else {
      watched.remove(pages);
    }
  }

  /**
   * Memory for twins.
   *
   * @param twins is filled with addresses, and with 0 where there was no memory in time
   */
  void take(InodePages pages, long[] twins, Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    int taken = 0;
    do {
      taken = memory.take(twins, taken);
      if (memory.isShort()) {
        wake();
      }
    } while (taken < twins.length && memory.awaitSome(deadline));
    Arrays.fill(twins, taken, twins.length, 0);
    if (taken < twins.length && !warned) {
      warned = true;
      LOG.warn(
          "too little memory to remember the mapped pages of inode {} and others: pages of it are"
              + " written back whole",
          pages.inode());
    }
  }

  @Override
  public void give(long[] twins) {
    memory.give(twins);
  }

  private synchronized void wake() {
    notifyAll();
  }

  private void run() {
    long trimmed = System.nanoTime();
    while (!closed) {
      try {
        if (!dropSome()) {
          rest();
        }
        if (System.nanoTime() - trimmed > TRIM.toNanos()) {
          memory.trim();
          trimmed = System.nanoTime();
        }
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        LOG.error("pages could not be dropped", e);
      }
    }
  }

  private synchronized void rest() throws InterruptedException {
    long deadline = System.nanoTime() + TRIM.toNanos();
    for (long left = TRIM.toNanos();
        left > 0 && !closed && !memory.isShort();
        left = deadline - System.nanoTime()) {
      TimeUnit.NANOSECONDS.timedWait(this, left);
    }
  }

  /** False if there is nothing to be done. */
  private boolean dropSome() throws InterruptedException {
    FileSystem.ForgetListener listener = kernel;
    if (listener == null || !memory.isShort()) {
      return false;
    }
    boolean any = false;
    for (InodePages pages : watched) {
      any |= pages.dropEldest(listener, MOST_PAGES_AT_ONCE);
      if (closed || !memory.isShort()) {
        return true;
      }
    }
    if (!any) {
      Thread.sleep(10); // the pages are being given right now
    }
    return true;
  }

  /** Files may be read on; nothing is dropped any more. */
  @Override
  public void close() {
    closed = true;
    wake();
    boolean interrupted = Thread.interrupted();
    try {
      thread.join(PATIENCE.toMillis());
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    memory.close();
  }
}
