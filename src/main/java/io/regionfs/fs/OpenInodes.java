package io.regionfs.fs;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.data.Regions;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.Metadata.Closing;
import io.regionfs.meta.Metadata.Removal;
import io.regionfs.meta.NewInode;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files that this node has open. The table itself is lock-free; {@link OpenInode} locks one
 * inode at a time. Closes that the metadata service could not be told of, and those that may wait a
 * moment, are told by threads of this class, which {@link #close} ends.
 */
final class OpenInodes implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OpenInodes.class);
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration LINGER = Duration.ofSeconds(2);
  private static final int MOST_LINGERING = 10_000;
  private static final int MOST_AT_ONCE = 200;

  private final Metadata metadata;
  private final Regions regions;
  private final ConcurrentHashMap<InodeId, OpenInode> table = new ConcurrentHashMap<>();
  private final Set<Creation> creations = ConcurrentHashMap.newKeySet();
  private final LingeringOpens lingering;
  private final AtomicBoolean sweeping = new AtomicBoolean();
  private final ScheduledThreadPoolExecutor retries;
  private volatile boolean closed;

  OpenInodes(Metadata metadata, Regions regions) {
    this(metadata, regions, new LingeringOpens(metadata, LINGER, MOST_LINGERING));
  }

  OpenInodes(Metadata metadata, Regions regions, LingeringOpens lingering) {
    this.metadata = metadata;
    this.regions = regions;
    this.lingering = lingering;
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

  /** EISDIR or ELOOP if it is no file. */
  @MustBeClosed
  Hold open(InodeId id, boolean write) {
    while (true) {
      OpenInode inode = table.computeIfAbsent(id, this::entry);
      boolean opened;
      try {
        opened = inode.open(write);
      } catch (RuntimeException e) {
        abandon(inode, e);
        throw e;
      }
      if (opened) {
        return hold(inode, write);
      }
      table.remove(id, inode);
    }
  }

  /** Makes a file that is open from the start. */
  @MustBeClosed
  @SuppressWarnings("MustBeClosed") // closed by what is returned
  Created create(NewInode file) {
    Creation creation = new Creation();
    creations.add(creation);
    try {
      Attributes attributes = metadata.create(file);
      boolean write = file.openForWrite();
      while (true) {
        OpenInode inode = table.computeIfAbsent(attributes.inode(), this::entry);
        boolean opened;
        try {
          opened = inode.adopt(attributes, write, creation::closedMeanwhile);
        } catch (RuntimeException e) {
          abandon(inode, e);
          throw e;
        }
        if (opened) {
          return new Created(attributes, hold(inode, write));
        }
        table.remove(attributes.inode(), inode);
      }
    } finally {
      creations.remove(creation);
    }
  }

  /** What this node has open of the inode with its region attached, or null. */
  @MustBeClosed
  @Nullable Hold pin(InodeId id) {
    OpenInode inode = table.get(id);
    return inode != null && inode.pin() ? new Hold(inode, false) : null;
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

  /** Opens again at the metadata service whatever is open here; see {@link OpenInode#reopen}. */
  void reopenAll() {
    for (OpenInode inode : List.copyOf(table.values())) {
      reopen(inode);
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

  /** Ends every open, in the hope that nobody uses them any more. */
  @Override
  public void close() {
    closed = true;
    retries.shutdownNow();
    settleAll(lingering.removeAll());
    for (OpenInode inode : List.copyOf(table.values())) {
      try {
        drop(inode.releaseAll());
      } catch (FsException e) {
        LOG.warn("inode {} stays open until the lease ends: {}", inode.id(), e.getMessage());
      }
      table.remove(inode.id(), inode);
    }
    awaitRetries();
  }

  /** Number of inodes that are open here, or whose close the service has not been told of yet. */
  int size() {
    return table.size();
  }

  private void awaitRetries() {
    try {
      if (!retries.awaitTermination(10, TimeUnit.SECONDS)) {
        LOG.warn("a thread that closes inodes still waits for an answer");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private OpenInode entry(InodeId id) {
    return new OpenInode(id, metadata, regions, lingering, this::noteClosing);
  }

  private void noteClosing(InodeId id) {
    creations.forEach(creation -> creation.closing(id));
  }

  @MustBeClosed
  private Hold hold(OpenInode inode, boolean write) {
    if (closed) {
      release(inode, write);
      throw new FsException(Errno.ENOTCONN, "the file system is closed");
    }
    return new Hold(inode, write);
  }

  /** After a failed open: forget the entry, or end what the service may believe. */
  private void abandon(OpenInode inode, RuntimeException failure) {
    if (inode.retireIfUnused()) {
      table.remove(inode.id(), inode);
    } else if (failure instanceof FsException refusal && !Enrolment.outcomeUnknown(refusal)) {
      settle(inode);
    } else {
      later(() -> settle(inode));
    }
  }

  private void release(OpenInode inode, boolean write) {
    if (inode.leave(write) && !closed && lingering.add(inode)) {
      sweepLater();
    } else {
      settle(inode);
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

  private void settle(OpenInode inode) {
    try {
      drop(inode.settle());
      removeIfRetired(inode);
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

  private void reopen(OpenInode inode) {
    try {
      inode.reopen();
    } catch (FsException e) {
      LOG.warn("inode {} is not open again yet: {}", inode.id(), e.getMessage());
      later(() -> reopen(inode));
    }
  }

  private void removeIfRetired(OpenInode inode) {
    if (inode.retireIfUnused()) {
      table.remove(inode.id(), inode);
    }
  }

  private void unsettled(OpenInode inode, FsException e) {
    LOG.warn("the close of inode {} is not settled yet: {}", inode.id(), e.getMessage());
    later(() -> settle(inode));
  }

  private void later(Runnable task) {
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

  /** A file made and opened. */
  record Created(Attributes attributes, Hold hold) implements AutoCloseable {
    @Override
    public void close() {
      hold.close();
    }
  }

  /** One local open. */
  final class Hold implements AutoCloseable {
    private final OpenInode inode;
    private final boolean write;
    private final AtomicBoolean released = new AtomicBoolean();

    private Hold(OpenInode inode, boolean write) {
      this.inode = inode;
      this.write = write;
    }

    OpenInode inode() {
      return inode;
    }

    /** Never fails: what the service cannot be told now it is told later. May be called twice. */
    @Override
    public void close() {
      if (released.compareAndSet(false, true)) {
        release(inode, write);
      }
    }
  }

  /**
   * A creation in flight. The inode it makes is open by this node before this table knows it, so
   * another thread may look it up, open it and, as the last, end the node's open: then the new file
   * has to be opened once more.
   */
  private static final class Creation {
    private final Set<InodeId> closing = ConcurrentHashMap.newKeySet();

    void closing(InodeId id) {
      closing.add(id);
    }

    boolean closedMeanwhile(InodeId id) {
      return closing.contains(id);
    }
  }
}
