package io.regionfs.fs;

import io.regionfs.data.Region;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.RegionStat;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps mappings near what their files hold ({@link Coherence#NOTIFY}): while the kernel keeps
 * pages of a file, its home's word on size and times is read every {@link #TICK}, one-sided, and
 * when it is another one the kernel drops the pages. Of a file that its home's kernel uses itself
 * nobody else hears of stores through mappings there: its pages are dropped each time.
 */
final class PageWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PageWatch.class);
  static final Duration TICK = Duration.ofMillis(20);

  /** After so many ticks without a page it looks no more, until there are some again. */
  private static final int IDLE_TICKS = 50;

  /** A home that does not answer is asked again after this. */
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private static final int THREADS = 4;

  private final OpenInodes inodes;
  private final PageKeeper keeper;
  private final Map<InodeId, Watched> watched = new ConcurrentHashMap<>();
  private final ScheduledThreadPoolExecutor executor;

  /** Used by one task at a time. */
  private static final class Watched {
    final InodePages pages;
    @Nullable RegionStat seen;

    /** Changed a moment ago: another write at the same time may not show in the times. */
    boolean changed;

    int idle;

    Watched(InodePages pages) {
      this.pages = pages;
    }
  }

  /** Both borrowed. */
  PageWatch(OpenInodes inodes, PageKeeper keeper) {
    this.inodes = inodes;
    this.keeper = keeper;
    executor =
        new ScheduledThreadPoolExecutor(
            THREADS,
            task -> {
              Thread thread = new Thread(task, "page-watch");
              thread.setDaemon(true);
              return thread;
            });
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /** The kernel is being given pages. */
  void given(InodePages pages) {
    Watched known = watched.get(pages.inode());
    if (known == null || known.pages != pages) {
      Watched made = new Watched(pages);
      watched.put(pages.inode(), made);
      after(TICK, made);
    }
  }

  private void after(Duration time, Watched one) {
    try {
      var unused = executor.schedule(() -> look(one), time.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("the mount ends", e);
    }
  }

  private void look(Watched one) {
    InodeId inode = one.pages.inode();
    if (inodes.pages(inode) != one.pages || watched.get(inode) != one) {
      watched.remove(inode, one);
      return;
    }
    if (!one.pages.mayBeKept() && ++one.idle > IDLE_TICKS) {
      watched.remove(inode, one);
      if (one.pages.mayBeKept()) {
        given(one.pages); // some came just now
      }
      return;
    }
    Duration pause = TICK;
    try {
      if (one.pages.mayBeKept()) {
        one.idle = 0;
        compare(one);
      }
    } catch (FsException e) {
      LOG.debug("whether inode {} has changed is not known: {}", inode, e.getMessage());
      pause = PAUSE;
      if (e.errno() == Errno.EINTR) {
        return; // the mount ends
      }
    } catch (RuntimeException e) {
      LOG.error("pages of inode {} are not kept up to date", inode, e);
      pause = PAUSE;
    }
    after(pause, one);
  }

  private void compare(Watched one) {
    try (var hold = inodes.pin(one.pages.inode())) {
      if (hold == null) {
        return; // not open, or nobody has written it
      }
      Region region = hold.inode().region();
      RegionStat now = region.stat();
      boolean changed = region.isUsedUnseen() || !now.equals(one.seen);
      one.seen = now;
      if (changed || one.changed) {
        keeper.drop(one.pages);
      }
      one.changed = changed;
    }
  }

  /** Waits for the threads, a while. */
  @Override
  public void close() {
    executor.shutdownNow();
    try {
      if (!executor.awaitTermination(10, TimeUnit.SECONDS)) {
        LOG.warn("a thread that watches pages still waits for a home");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
