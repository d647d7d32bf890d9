package io.regionfs.fs;

import io.regionfs.data.Regions;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.Metadata.Closing;
import io.regionfs.meta.Metadata.Removal;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the metadata service, and the homes of files that ended thereby, what is not open here any
 * more: at once; after a moment and many together, for what lingers; again, when the service could
 * not be told. The latter two are done by threads of this class, which {@link #stop} and {@link
 * #close} end. Keeps no lock while it calls but those of the inodes in question.
 */
final class Closes implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Closes.class);
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final int MOST_AT_ONCE = 200;

  private final Metadata metadata;
  private final Regions regions;
  private final LingeringOpens lingering;
  private final Consumer<OpenInode> settled;
  private final AtomicBoolean sweeping = new AtomicBoolean();
  private final ScheduledThreadPoolExecutor retries;

  /**
   * @param settled given each inode after the service was told of its close
   */
  Closes(
      Metadata metadata, Regions regions, LingeringOpens lingering, Consumer<OpenInode> settled) {
    this.metadata = metadata;
    this.regions = regions;
    this.lingering = lingering;
    this.settled = settled;
    retries =
        new ScheduledThreadPoolExecutor(
            2,
            task -> {
              Thread thread = new Thread(task, "regionfs-closing");
              thread.setDaemon(true);
              return thread;
            });
    retries.setKeepAliveTime(10, TimeUnit.SECONDS);
    retries.allowCoreThreadTimeOut(true);
  }

  /** False if it may not wait: then it has to be {@link #settle settled} now. */
  boolean linger(OpenInode inode) {
    boolean lingers = lingering.add(inode);
    if (lingers) {
      sweepLater();
    }
    return lingers;
  }

  /**
   * What is kept of the inode is not valid any more: so its last name may be gone. Does not wait.
   */
  void forget(InodeId id) {
    OpenInode inode = lingering.remove(id);
    if (inode != null) {
      after(0, () -> settle(inode));
    }
  }

  /** Of all inodes. Does not wait. */
  void forgetAll() {
    List<OpenInode> all = lingering.removeAll();
    if (!all.isEmpty()) {
      after(0, () -> settleAll(all));
    }
  }

  /** Tells the home of an inode without names and opens. */
  void drop(Removal removal) {
    InodeId dead = removal.dead();
    if (dead == null) {
      return;
    }
    try {
      regions.drop(dead, removal.home());
    } catch (FsException e) {
      LOG.debug("{} will hear of dead inode {} later: {}", removal.home(), dead, e.getMessage());
    }
  }

  /** Never fails: what the service cannot be told now it is told later. */
  void settle(OpenInode inode) {
    try {
      drop(inode.settle());
      settled.accept(inode);
    } catch (FsException e) {
      unsettled(inode, e);
    }
  }

  /** Many in one call; those that are not as simple one by one. */
  private void settleAll(List<OpenInode> due) {
    for (int from = 0; from < due.size(); from += MOST_AT_ONCE) {
      List<OpenInode> some = due.subList(from, Math.min(due.size(), from + MOST_AT_ONCE));
      try {
        closeTogether(some);
      } catch (FsException e) {
        LOG.debug("{} inodes are closed one by one: {}", some.size(), e.getMessage());
      }
      some.forEach(this::settle);
    }
  }

  private void closeTogether(List<OpenInode> inodes) {
    List<OpenInode> begun = new ArrayList<>();
    List<Closing> closings = new ArrayList<>();
    boolean ended = false;
    try {
      for (OpenInode inode : inodes) {
        Closing closing = inode.tryClosing();
        if (closing != null) {
          begun.add(inode);
          closings.add(closing);
        }
      }
      if (!closings.isEmpty()) {
        metadata.closeAll(closings).forEach(this::drop);
        ended = true;
      }
    } finally {
      for (OpenInode inode : begun) {
        inode.endClosing(ended);
      }
    }
  }

  /** There is one sweep to come as long as anything lingers. */
  private void sweepLater() {
    if (sweeping.compareAndSet(false, true)) {
      after(lingering.nanos(), this::sweep);
    }
  }

  private void sweep() {
    sweeping.set(false);
    settleAll(lingering.removeDue());
    if (!lingering.isEmpty()) {
      sweepLater();
    }
  }

  private void unsettled(OpenInode inode, FsException e) {
    LOG.warn("the close of inode {} is not settled yet: {}", inode.id(), e.getMessage());
    later(() -> settle(inode));
  }

  /** Does this in a second, unless {@link #stop} comes before. */
  void later(Runnable task) {
    after(RETRY.toNanos(), task);
  }

  private void after(long nanos, Runnable task) {
    try {
      var unused = retries.schedule(() -> logged(task), nanos, TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("closing: the lease will end what is not settled", e);
    }
  }

  private static void logged(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      LOG.error("an open stays unsettled until the lease ends", e);
    }
  }

  /** Closes what lingers; nothing is done later from now on. */
  void stop() {
    retries.shutdownNow();
    settleAll(lingering.removeAll());
  }

  /** Waits for the threads, a while. To be stopped before. */
  @Override
  public void close() {
    try {
      if (!retries.awaitTermination(10, TimeUnit.SECONDS)) {
        LOG.warn("a thread that closes inodes still waits for an answer");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
