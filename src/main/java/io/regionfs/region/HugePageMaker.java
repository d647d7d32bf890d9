package io.regionfs.region;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.posix.Threads;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes huge pages, in the background, of what holds memory throughout: so nothing gets memory by
 * it, sparse files stay sparse, and the budget stays true. A region is looked at once its memory
 * has not changed from one round to the next.
 */
final class HugePageMaker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HugePageMaker.class);
  private static final Duration ROUND = Duration.ofSeconds(1);
  private static final Duration AFTER_NO_MEMORY = Duration.ofMinutes(1);

  /** A round over very many regions must not become a load of its own. */
  private static final int REST_PER_WORK = 20;

  private final Collection<LentRegion> regions;
  private final Thread thread;

  /** Of regions that hold enough; confined to the thread, or a test's. */
  private final Map<LentRegion, Progress> progress = new WeakHashMap<>();

  /** Marks of a region's memory: as the last round saw it, and as it was when it was done. */
  private static final class Progress {
    private long seen;
    private long done;
  }

  /**
   * @param regions those of this host, as they come and go
   */
  HugePageMaker(Collection<LentRegion> regions) {
    this.regions = regions;
    this.thread = new Thread(this::work, "regionfs-huge-pages");
    this.thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  private void work() {
    try {
      while (true) {
        long before = System.nanoTime();
        boolean enough = round();
        long restNanos = (System.nanoTime() - before) * REST_PER_WORK;
        Duration least = enough ? ROUND : AFTER_NO_MEMORY;
        TimeUnit.NANOSECONDS.sleep(Math.max(restNanos, least.toNanos()));
      }
    } catch (InterruptedException e) {
      LOG.debug("no more huge pages are made");
    } catch (FsException e) {
      LOG.info("No huge pages are made: {}", e.getMessage());
    }
  }

  /**
   * Looks at each region once.
   *
   * @return false if the machine has no huge page to give
   * @throws FsException EINVAL if it never will
   */
  boolean round() throws InterruptedException {
    for (LentRegion region : regions) {
      if (!look(region)) {
        return false;
      }
    }
    return true;
  }

  private boolean look(LentRegion region) throws InterruptedException {
    try {
      long mark = region.memoryMark();
      if (mark == LentRegion.NOTHING_HUGE) {
        return true;
      }
      Progress of = progress.computeIfAbsent(region, any -> new Progress());
      if (mark != of.seen) {
        of.seen = mark;
      } else if (mark != of.done) {
        collapse(region);
        of.done = mark;
      }
      return true;
    } catch (FsException e) {
      if (e.errno() == Errno.EINVAL) {
        throw e;
      }
      // EIO: the region was removed meanwhile.
      return e.errno() != Errno.ENOMEM;
    }
  }

  private void collapse(LentRegion region) throws InterruptedException {
    for (long at = region.collapseNext(0); at >= 0; at = region.collapseNext(at)) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    Threads.joinUninterruptibly(thread);
  }
}
