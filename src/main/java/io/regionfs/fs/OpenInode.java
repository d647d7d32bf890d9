package io.regionfs.fs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.Region;
import io.regionfs.data.Regions;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.Metadata.Closed;
import io.regionfs.meta.Metadata.Closing;
import io.regionfs.meta.Metadata.Removal;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.RegionStat;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One file that this node has open, shared by all its local opens: how often, what the metadata
 * service knows of it, and the region. The first local open tells the service, and the last local
 * close; likewise the first and the last writer.
 *
 * <p>All state changes under the inode's own lock, which is held across those calls: an open that
 * meets the last close in progress waits for it. Reads and writes take no lock.
 */
final class OpenInode {
  private static final Logger LOG = LoggerFactory.getLogger(OpenInode.class);

  /**
   * The node that writes a file first makes its region right after it opened it; another may get
   * there sooner and waits so long before it takes the region for lost.
   */
  private static final Duration ATTACH_GRACE = Duration.ofSeconds(2);

  private static final long ATTACH_RETRY_MILLIS = 10;
  private static final int SETTLE_ATTEMPTS = 2;

  private final InodeId id;
  private final Metadata metadata;
  private final LingeringOpens lingering;
  private final ReentrantLock lock = new ReentrantLock();

  /** Another local open may have attached the region. */
  private final Condition attached = lock.newCondition();

  @GuardedBy("lock")
  private final Enrolment enrolment;

  /** Guarded by the lock, too, except for its region. */
  private final Attachment attachment;

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

  private volatile boolean stale;

  /**
   * @param ending told of the inode before each call that ends an open or a session
   */
  OpenInode(
      InodeId id,
      Metadata metadata,
      Regions regions,
      LingeringOpens lingering,
      Consumer<InodeId> ending) {
    this.id = id;
    this.metadata = metadata;
    this.lingering = lingering;
    this.enrolment = new Enrolment(id, metadata, ending);
    this.attachment = new Attachment(id, regions);
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
      requireUsable();
      if (opens == 0 && !lingering.take(id)) {
        enrolment.lapse();
      }
      ensure(write);
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
        ensure(write);
        if (write) {
          attachment.createdAndUsed();
        }
      } else {
        enrolment.joined(write);
        attachment.created(created, write);
      }
      attached.signalAll();
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
      if (opens == 0 || attachment.region() == null || stale) {
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
      }
      noteRead();
      return opens == 0 && !stale && enrolment.covers(false) && !enrolment.mayBeInSession();
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
        return endAll();
      }
      if (writes == 0 && enrolment.mayBeInSession()) {
        endSession();
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
    if (opens > 0 || !enrolment.mayBeOpen() || enrolment.mayBeInSession()) {
      lock.unlock();
      return null;
    }
    noteRead();
    enrolment.ending();
    return new Closing(id, readAt);
  }

  /**
   * @param ended the service has been told
   */
  @SuppressWarnings("GuardedBy") // locked by tryClosing
  void endClosing(boolean ended) {
    try {
      if (ended) {
        enrolment.end();
        attachment.close();
      }
    } finally {
      lock.unlock();
    }
  }

  /** If there are no local opens, and the service knows it, this entry ends, for good. */
  boolean retireIfUnused() {
    lock.lock();
    try {
      retired |= opens == 0 && !enrolment.mayBeOpen() && !enrolment.mayBeInSession();
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
      if (opens == 0 || stale) {
        return;
      }
      enrolment.lapse();
      ensure(writes > 0);
    } catch (FsException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
      LOG.warn("inode {} is gone since this node's lease ran out: {}", id, e.getMessage());
      stale = true;
      enrolment.end();
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
    requireUsable();
    Region region = attachment.region();
    return region != null ? region : attach();
  }

  /** Its access time will be now, when it is closed. */
  void markRead() {
    if (!read) {
      read = true;
    }
  }

  void requireUsable() {
    if (stale) {
      throw new FsException(
          Errno.ESTALE, "inode " + id + " was removed while this node's lease had run out");
    }
  }

  @GuardedBy("lock")
  private void count(boolean write) {
    opens++;
    writes += write ? 1 : 0;
  }

  /** The service counts this node's open; with {@code write} its session too, and has a region. */
  @GuardedBy("lock")
  private void ensure(boolean write) {
    if (!enrolment.covers(write)) {
      Attributes before = enrolment.join(write);
      if (before.type() != FileType.FILE) {
        throw new FsException(
            before.type() == FileType.DIRECTORY ? Errno.EISDIR : Errno.ELOOP,
            "inode " + id + " is no file");
      }
      if (write) {
        attachment.beginSession(before);
      } else {
        attachment.learn(before);
      }
    } else if (write) {
      attachment.makeIfFirst();
    }
    attached.signalAll();
  }

  private @Nullable Region attach() {
    long deadline = System.nanoTime() + ATTACH_GRACE.toNanos();
    lockInterruptibly();
    try {
      while (attachment.region() == null) {
        requireUsable();
        attachment.makeIfFirst();
        if (attachment.untouched()) {
          attachment.learn(metadata.attributes(id));
        }
        if (attachment.untouched()) {
          return null;
        }
        attachExisting(deadline);
      }
      return attachment.region();
    } finally {
      lock.unlock();
    }
  }

  @GuardedBy("lock")
  private void attachExisting(long deadline) {
    try {
      if (attachment.region() == null) {
        attachment.attach();
      }
    } catch (FsException e) {
      boolean late = System.nanoTime() - deadline > 0;
      if (!attachment.justBegun() || e.errno() != Errno.EIO || late) {
        throw e;
      }
      awaitAttached();
    }
  }

  /** Lets go of the lock for a moment, in which another local open may attach the region. */
  @GuardedBy("lock")
  @SuppressWarnings("WaitNotInLoop") // attach() loops
  private void awaitAttached() {
    try {
      var unused = attached.await(ATTACH_RETRY_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  @GuardedBy("lock")
  private void noteRead() {
    if (opens == 0 && read) {
      read = false;
      readAt = Instant.now();
    }
  }

  /** Ends the open and the session, if any, in one call, and lets go of the region. */
  @GuardedBy("lock")
  private Removal endAll() {
    noteRead();
    Removal removal = Removal.NOTHING;
    boolean ended = !enrolment.mayBeOpen();
    for (int attempt = 1; !ended; attempt++) {
      boolean inSession = enrolment.mayBeInSession();
      RegionStat stat = inSession ? attachment.settled() : null;
      Closed closed = enrolment.endAll(stat, readAt);
      removal = closed.removal().dead() == null ? removal : closed.removal();
      boolean nothingToSettle = (inSession && attachment.endSession()) || stat == null;
      ended = nothingToSettle || !closed.atHome() || attempt == SETTLE_ATTEMPTS || !beginSettling();
    }
    attachment.close();
    return removal;
  }

  /** Opens a closed inode to {@link #endSession settle} it; false if it is gone meanwhile. */
  @GuardedBy("lock")
  private boolean beginSettling() {
    try {
      enrolment.join(true);
      return true;
    } catch (FsException e) {
      if (Enrolment.outcomeUnknown(e)) {
        throw e;
      }
      LOG.debug("inode {} is left to others: {}", id, e.getMessage());
      return false;
    }
  }

  /**
   * Commits what the home says and ends the session. If other nodes wrote at the same time, nobody
   * knows whose values are the last: then a session that this node has alone settles it, if it gets
   * one; else the home stays the authority, which is right, but costs every stat a call to it.
   */
  @GuardedBy("lock")
  private void endSession() {
    for (int attempt = 1; ; attempt++) {
      RegionStat stat = attachment.settled();
      boolean committed = enrolment.endSession(stat);
      boolean nothingToSettle = attachment.endSession() || stat == null;
      if (committed || nothingToSettle || attempt == SETTLE_ATTEMPTS) {
        return;
      }
      enrolment.join(true);
    }
  }

  private void lockInterruptibly() {
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private FsException interrupted(InterruptedException e) {
    return new FsException(Errno.EINTR, "interrupted at inode " + id, e);
  }
}
