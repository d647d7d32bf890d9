package io.regionfs.fs;

import io.regionfs.fs.HeldLocks.Holder;
import io.regionfs.meta.Lock;
import io.regionfs.meta.Metadata;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The locks of one open file description. They are the metadata service's to give; what this node
 * holds is remembered in {@link HeldLocks}, so that what cannot change anything there costs no
 * call. Safe for use by many threads; keeps no lock of its own while it calls.
 */
final class FileLocks {
  private final InodeId inode;
  private final Metadata metadata;
  private final HeldLocks table;
  private final PageRefresh pages;

  /** Who took locks through this file; guarded by the table. */
  private final Set<Holder> holders = new HashSet<>(2);

  private volatile boolean lost;

  /** Lets the kernel write back and drop a file's pages of mappings, at the borders of a lock. */
  interface PageRefresh {
    void refresh(InodeId inode);
  }

  FileLocks(InodeId inode, Metadata metadata, HeldLocks table, PageRefresh pages) {
    this.inode = inode;
    this.metadata = metadata;
    this.table = table;
    this.pages = pages;
  }

  Set<Holder> holders() {
    return holders;
  }

  void setLost(boolean lost) {
    this.lost = lost;
  }

  /** EIO if a lock that was taken through this file was lost with a lease, and not given back. */
  void requireKept() {
    if (lost) {
      throw lost();
    }
  }

  private FsException lost() {
    return new FsException(
        Errno.EIO, "a lock of inode " + inode + " was lost when this node's lease ran out");
  }

  /**
   * See {@link OpenFile#lock}.
   *
   * @param mapped the kernel may keep pages of the file
   */
  void lock(LockRequest request, boolean wait, boolean mapped) {
    Holder holder = new Holder(inode, request.owner(), request.flock());
    if (request.kind() == LockRequest.Kind.UNLOCK) {
      unlock(holder, request, mapped);
      return;
    }
    if (lost || table.isLost(holder)) {
      throw lost();
    }
    if (table.covers(holder, request)) {
      return;
    }
    if (request.flock()) {
      // flock(2) gives up the old lock before it asks for the other kind.
      unlock(holder, request, mapped);
    }
    long lease;
    do {
      lease = table.lease();
      boolean held = table.meets(holder, request.first(), request.last());
      metadata.lock(inode, message(request), wait, held);
    } while (!table.taken(holder, request, this, lease));
    if (mapped) {
      pages.refresh(inode);
    }
  }

  private void unlock(Holder holder, LockRequest request, boolean mapped) {
    if (!table.meets(holder, request.first(), request.last())) {
      return;
    }
    if (!table.isLost(holder)) {
      if (mapped) {
        pages.refresh(inode);
      }
      metadata.unlock(inode, message(request));
    }
    table.given(holder, request.first(), request.last());
  }

  private static Lock message(LockRequest request) {
    return new Lock(
        request.owner(),
        request.flock(),
        request.kind() == LockRequest.Kind.EXCLUSIVE,
        request.first(),
        request.last(),
        request.pid());
  }

  /** See {@link OpenFile#conflicting}. */
  @Nullable LockRequest conflicting(LockRequest request) {
    Lock found = metadata.conflicting(inode, message(request));
    return found == null
        ? null
        : new LockRequest(
            found.owner(),
            found.flock(),
            found.exclusive() ? LockRequest.Kind.EXCLUSIVE : LockRequest.Kind.SHARED,
            found.first(),
            found.last(),
            found.pid());
  }

  /** close(2): the POSIX locks of the owner end, also those taken through other files. */
  void flush(long owner) {
    end(new Holder(inode, owner, false));
  }

  /** The last close: what flock(2) and open file descriptions have locked here ends. */
  void close() {
    table.holders(this).forEach(this::end);
  }

  /** The kernel has written back already what mappings changed. */
  private void end(Holder holder) {
    if (table.meets(holder, 0, Long.MAX_VALUE)) {
      if (!table.isLost(holder)) {
        metadata.endLocks(inode, holder.owner(), holder.flock());
      }
      table.given(holder, 0, Long.MAX_VALUE);
    }
  }
}
