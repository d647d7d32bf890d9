package io.regionfs.fs;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.data.Regions;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.Metadata.Removal;
import io.regionfs.meta.NewInode;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files that this node has open. The table itself is lock-free; {@link OpenInode} locks one
 * inode at a time, and {@link Closes} tells the metadata service what is not open here any more.
 */
final class OpenInodes implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OpenInodes.class);
  private static final Duration LINGER = Duration.ofSeconds(2);
  private static final int MOST_LINGERING = 10_000;

  private final Metadata metadata;
  private final Regions regions;
  private final ConcurrentHashMap<InodeId, OpenInode> table = new ConcurrentHashMap<>();
  private final Set<Creation> creations = ConcurrentHashMap.newKeySet();
  private final LingeringOpens lingering;
  private final PassPolicy policy;
  private final PageKeeper keeper;
  private final Closes closes;
  private volatile boolean closed;

  OpenInodes(Metadata metadata, Regions regions, PassPolicy policy, PageKeeper keeper) {
    this(metadata, regions, policy, keeper, new LingeringOpens(metadata, LINGER, MOST_LINGERING));
  }

  OpenInodes(
      Metadata metadata,
      Regions regions,
      PassPolicy policy,
      PageKeeper keeper,
      LingeringOpens lingering) {
    this.policy = policy;
    this.keeper = keeper;
    this.metadata = metadata;
    this.regions = regions;
    this.lingering = lingering;
    this.closes = new Closes(metadata, regions, lingering, this::removeIfUnused);
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
          if (write) {
            creation.learn(inode.privileges(), attributes);
          }
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
   * The file has ended with the process that exported it: who has it open gets ESTALE, and the
   * kernel keeps no page of it.
   */
  void ended(InodeId id) {
    OpenInode inode = table.get(id);
    if (inode != null) {
      inode.end();
      keeper.drop(inode.pages());
    }
  }

  /** What the kernel keeps of a file for mappings, or null if this node does not have it open. */
  @Nullable InodePages pages(InodeId id) {
    OpenInode inode = table.get(id);
    return inode == null ? null : inode.pages();
  }

  /** Opens again at the metadata service whatever is open here; see {@link OpenInode#reopen}. */
  void reopenAll() {
    for (OpenInode inode : List.copyOf(table.values())) {
      reopen(inode);
    }
  }

  /** See {@link Closes#forget}. */
  void forget(InodeId id) {
    closes.forget(id);
  }

  /**
   * It may give privileges now. Does not wait.
   *
   * @return whether the kernel uses it itself, and does not know that yet
   */
  boolean recalled(InodeId id) {
    creations.forEach(creation -> creation.recalled(id));
    OpenInode inode = table.get(id);
    if (inode != null) {
      inode.privileges().forget();
    }
    return inode != null && inode.isPassed();
  }

  /** As far as this node knows without asking, which is: if it writes the file. */
  boolean hasNoCapability(InodeId id) {
    OpenInode inode = table.get(id);
    return inode != null && inode.privileges().hasNoCapability();
  }

  /** Those that the kernel uses itself. */
  List<InodeId> passed() {
    return table.values().stream().filter(OpenInode::isPassed).map(OpenInode::id).toList();
  }

  /** Of all inodes. Does not wait. */
  void forgetAll() {
    creations.forEach(Creation::recalledAll);
    table.values().forEach(inode -> inode.privileges().forget());
    closes.forgetAll();
  }

  /** Tells the home of an inode without names and opens. */
  void drop(Removal removal) {
    closes.drop(removal);
  }

  /** Ends every open, in the hope that nobody uses them any more. */
  @Override
  public void close() {
    closed = true;
    closes.stop();
    for (OpenInode inode : List.copyOf(table.values())) {
      try {
        drop(inode.releaseAll());
      } catch (FsException e) {
        LOG.warn("inode {} stays open until the lease ends: {}", inode.id(), e.getMessage());
      }
      table.remove(inode.id(), inode);
    }
    closes.close();
  }

  /** Number of inodes that are open here, or whose close the service has not been told of yet. */
  int size() {
    return table.size();
  }

  private OpenInode entry(InodeId id) {
    return new OpenInode(id, metadata, regions, lingering, policy, keeper, this::noteClosing);
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
    if (removeIfUnused(inode)) {
      return;
    }
    if (failure instanceof FsException refusal && !Enrolment.outcomeUnknown(refusal)) {
      closes.settle(inode);
    } else {
      closes.later(() -> closes.settle(inode));
    }
  }

  /**
   * @return it has ended
   */
  private boolean removeIfUnused(OpenInode inode) {
    boolean ended = inode.retireIfUnused();
    if (ended) {
      table.remove(inode.id(), inode);
    }
    return ended;
  }

  private void release(OpenInode inode, boolean write) {
    if (!inode.leave(write) || closed || !closes.linger(inode)) {
      closes.settle(inode);
    }
  }

  private void reopen(OpenInode inode) {
    try {
      inode.reopen();
    } catch (FsException e) {
      LOG.warn("inode {} is not open again yet: {}", inode.id(), e.getMessage());
      closes.later(() -> reopen(inode));
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
    private final Set<InodeId> recalled = ConcurrentHashMap.newKeySet();
    private volatile boolean allRecalled;

    void closing(InodeId id) {
      closing.add(id);
    }

    boolean closedMeanwhile(InodeId id) {
      return closing.contains(id);
    }

    void recalled(InodeId id) {
      recalled.add(id);
    }

    void recalledAll() {
      allRecalled = true;
    }

    /**
     * Unless another host may have given it privileges since: then this table knew nothing of it.
     */
    void learn(Privileges privileges, Attributes made) {
      long asked = privileges.now();
      if (!allRecalled && !recalled.contains(made.inode())) {
        privileges.learn(asked, made);
      }
    }
  }
}
