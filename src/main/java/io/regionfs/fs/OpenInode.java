package io.regionfs.fs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.BackingFile;
import io.regionfs.data.Region;
import io.regionfs.data.Regions;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.Metadata.Closing;
import io.regionfs.meta.Metadata.Removal;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import java.time.Instant;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One file that this node has open, shared by all its local opens: how often, and this node's
 * {@link Participation}. The first local open tells the service, and the last local close; likewise
 * the first and the last writer.
 *
 * <p>All state changes under the inode's own lock, which is held across those calls: an open that
 * meets the last close in progress waits for it. Reads and writes take no lock.
 */
final class OpenInode {
  private final InodeId id;
  private final LingeringOpens lingering;
  private final ReentrantLock lock = new ReentrantLock();

  /** Guarded by the lock, too, except for what its class says. */
  private final Participation part;

  private final Privileges privileges;

  /** Guarded by the lock, too. */
  private final PassedFile passed;

  private final InodePages pages;

  @GuardedBy("lock")
  private int opens;

  @GuardedBy("lock")
  private int writes;

  @GuardedBy("lock")
  private boolean retired;

  /** When it was last closed after it had been read. */
  @GuardedBy("lock")
  private @Nullable Instant readAt;

  /** Read since then. */
  private volatile boolean read;

  /**
   * @param policy whether it may be passed through to the kernel
   * @param keeper of the twins of mapped pages
   * @param ending told of the inode before each call that ends an open or a session
   */
  OpenInode(
      InodeId id,
      Metadata metadata,
      Regions regions,
      LingeringOpens lingering,
      PassPolicy policy,
      PageKeeper keeper,
      Consumer<InodeId> ending) {
    this.id = id;
    this.passed = new PassedFile(id, policy);
    this.pages = new InodePages(id, keeper);
    this.lingering = lingering;
    this.privileges = new Privileges(id, metadata);
    this.part =
        new Participation(
            id,
            metadata,
            new Enrolment(id, metadata, ending),
            new Attachment(id, regions),
            privileges,
            lock.newCondition());
  }

  InodeId id() {
    return id;
  }

  /**
   * One more local open. EISDIR or ELOOP if it is no file.
   *
   * @return false if this entry has ended: look for another
   */
  boolean open(boolean write) {
    lockInterruptibly();
    try {
      if (retired) {
        return false;
      }
      part.requireUsable();
      if (opens == 0 && !lingering.take(id)) {
        part.lapse();
      }
      part.begin(write);
      count(write);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * The open that came with the creation of the inode.
   *
   * @param ended tells whether another thread may have ended this open at the service meanwhile
   * @return false if this entry has ended: look for another
   */
  boolean adopt(Attributes created, boolean write, Predicate<InodeId> ended) {
    lock.lock();
    try {
      if (retired) {
        return false;
      }
      if (ended.test(id)) {
        part.beginCreatedAndUsed(write);
      } else {
        part.beginCreated(created, write);
      }
      count(write);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** One more local open without a call, so that the region stays; false if it has none. */
  boolean pin() {
    lock.lock();
    try {
      if (opens == 0 || part.region() == null || part.isLost()) {
        return false;
      }
      count(false);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * One local open less; to be followed by {@link #settle}.
   *
   * @return nothing is open here any more, and nothing was written: {@link #settle} may come later
   */
  boolean leave(boolean write) {
    lock.lock();
    try {
      if (opens > 0) {
        opens--;
        writes -= write ? 1 : 0;
        pages.writable(writes > 0);
      }
      endPassing();
      noteRead();
      return opens == 0 && part.mayLinger();
    } finally {
      lock.unlock();
    }
  }

  /** Ends all local opens at once; see {@link #settle}. */
  Removal releaseAll() {
    lock.lock();
    try {
      opens = 0;
      writes = 0;
      pages.writable(false);
      endPassing();
      return settle();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends what the service believes beyond the local opens. If it fails it has to be called again.
   *
   * @return what may be dropped at its home
   */
  Removal settle() {
    lock.lock();
    try {
      if (opens == 0) {
        noteRead();
        return part.endAll(readAt);
      }
      if (writes == 0 && part.mayBeInSession()) {
        part.endSession();
      }
      return Removal.NOTHING;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Begins the end of an open that may be told together with others: takes the lock, which {@link
   * #endClosing} gives back. Who holds several waits for none.
   *
   * @return null if it has to be {@link #settle settled} by itself; then no lock was taken
   */
  @SuppressWarnings("GuardedBy") // tryLock is not understood
  @Nullable Closing tryClosing() {
    if (!lock.tryLock()) {
      return null;
    }
    if (opens > 0 || !part.mayBeOpen() || part.mayBeInSession()) {
      lock.unlock();
      return null;
    }
    noteRead();
    part.ending();
    return new Closing(id, readAt);
  }

  /**
   * @param ended the service has been told
   */
  @SuppressWarnings("GuardedBy") // locked by tryClosing
  void endClosing(boolean ended) {
    try {
      if (ended) {
        part.ended();
      }
    } finally {
      lock.unlock();
    }
  }

  /** If there are no local opens, and the service knows it, this entry ends, for good. */
  boolean retireIfUnused() {
    lock.lock();
    try {
      retired |= opens == 0 && !part.mayBeOpen() && !part.mayBeInSession();
      return retired;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Opens again what the service forgot when this node's lease ran out. An inode that is gone
   * answers ESTALE from now on.
   */
  void reopen() {
    lock.lock();
    try {
      if (opens > 0 && !part.isLost()) {
        part.resume(writes > 0);
      }
    } finally {
      lock.unlock();
    }
  }

  /** The region, attached if it is not yet. ESTALE if the inode was lost with a lease. */
  Region region() {
    Region region = regionIfWritten();
    if (region == null) {
      throw new FsException(Errno.EIO, "inode " + id + " is open for writing but has no region");
    }
    return region;
  }

  /** As {@link #region}, or null while nobody has written the file: it is empty. */
  @Nullable Region regionIfWritten() {
    part.requireUsable();
    Region region = part.region();
    return region != null ? region : attach();
  }

  /** Before it is written: see {@link OpenFile#kill}. It must be open for writing. */
  void kill(Kill kill) {
    privileges.kill(kill);
  }

  /** Whether the kernel uses the file itself. Needs no lock. */
  boolean isPassed() {
    return passed.isPassed();
  }

  Privileges privileges() {
    return privileges;
  }

  /** Its access time will be now, when it is closed. */
  void markRead() {
    if (!read) {
      read = true;
    }
  }

  /** The file that the kernel uses itself for every open of this inode; null: for none. */
  @Nullable BackingFile backing() {
    lock.lock();
    try {
      return opens == 0 ? null : passed.decide(part);
    } finally {
      lock.unlock();
    }
  }

  /** The file has ended with the process that exported it: ESTALE from now on. */
  void end() {
    part.end();
  }

  /**
   * What a failure of the region means: if the file has ended, ESTALE.
   *
   * @param ended asks the service
   */
  FsException explained(FsException failure, Predicate<InodeId> ended) {
    if (part.isEnded()) {
      return part.endedFailure();
    }
    if (failure.errno() != Errno.EIO) {
      return failure;
    }
    try {
      if (ended.test(id)) {
        part.end();
        return part.endedFailure();
      }
    } catch (FsException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  /** What the kernel keeps for mappings. */
  InodePages pages() {
    return pages;
  }

  /** ESTALE if the inode was lost with a lease. */
  void requireUsable() {
    part.requireUsable();
  }

  @GuardedBy("lock")
  private void count(boolean write) {
    opens++;
    writes += write ? 1 : 0;
    pages.writable(writes > 0);
  }

  private @Nullable Region attach() {
    long deadline = Participation.attachDeadline();
    lockInterruptibly();
    try {
      return part.attach(deadline);
    } finally {
      lock.unlock();
    }
  }

  /** Before anything is told of size and times. */
  @GuardedBy("lock")
  private void endPassing() {
    if (opens == 0 && passed.end()) {
      read = true;
    }
  }

  @GuardedBy("lock")
  private void noteRead() {
    if (opens == 0 && read) {
      read = false;
      readAt = Instant.now();
    }
  }

  private void lockInterruptibly() {
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw Participation.interrupted(id, e);
    }
  }
}
