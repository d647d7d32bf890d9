package io.regionfs.fs;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the twins of all files within their memory: a thread of its own has the kernel drop the
 * pages that were given the longest ago, before memory runs out. Should it run out all the same, a
 * page goes without a twin.
 */
final class PageKeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PageKeeper.class);
  private static final int MOST_PAGES_AT_ONCE = 512;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

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

  /** Memory for a twin; 0: there is none in time. */
  long take(InodePages pages, Duration patience) {
    long page = memory.take(Duration.ZERO);
    if (memory.isShort()) {
      wake();
      page = page != 0 ? page : memory.take(patience);
    }
    if (page == 0 && !warned) {
      warned = true;
      LOG.warn(
          "too little memory to remember the mapped pages of inode {} and others: pages of it are"
              + " written back whole",
          pages.inode());
    }
    return page;
  }

  void give(long page) {
    memory.give(page);
  }

  private synchronized void wake() {
    notifyAll();
  }

  private void run() {
    while (!closed) {
      try {
        if (!dropSome()) {
          rest();
        }
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        LOG.error("pages could not be dropped", e);
      }
    }
  }

  private synchronized void rest() throws InterruptedException {
    while (!closed && !memory.isShort()) {
      wait();
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
  }
}
