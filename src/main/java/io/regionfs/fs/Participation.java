package io.regionfs.fs;

import io.regionfs.data.BackingFile;
import io.regionfs.data.Region;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.Metadata.Closed;
import io.regionfs.meta.Metadata.Removal;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's part in one inode: its {@link Enrolment} at the metadata service and the {@link
 * Attachment} to the region, which begin and end together. Here is decided in which order, and what
 * is waited for and repeated if other nodes do the same at the same time.
 *
 * <p>Confined by the lock of the {@link OpenInode} it belongs to, except {@link #region}, {@link
 * #isLost} and {@link #requireUsable}.
 */
final class Participation {
  private static final Logger LOG = LoggerFactory.getLogger(Participation.class);

  /**
   * The node that writes a file first makes its region right after it opened it; another may get
   * there sooner and waits so long before it takes the region for lost.
   */
  private static final Duration ATTACH_GRACE = Duration.ofSeconds(2);

  private static final long ATTACH_RETRY_MILLIS = 10;
  private static final int SETTLE_ATTEMPTS = 2;

  private final InodeId id;
  private final Metadata metadata;
  private final Enrolment enrolment;
  private final Attachment attachment;
  private final Privileges privileges;

  /** Another local open may have attached the region. */
  private final Condition attached;

  private volatile boolean stale;
  private volatile boolean ended;

  /**
   * @param attached a condition of the lock that confines this
   */
  Participation(
      InodeId id,
      Metadata metadata,
      Enrolment enrolment,
      Attachment attachment,
      Privileges privileges,
      Condition attached) {
    this.id = id;
    this.metadata = metadata;
    this.enrolment = enrolment;
    this.attachment = attachment;
    this.privileges = privileges;
    this.attached = attached;
  }

  boolean mayBeOpen() {
    return enrolment.mayBeOpen();
  }

  boolean mayBeInSession() {
    return enrolment.mayBeInSession();
  }

  /** Certainly open and without a session: nothing has to be told soon. */
  boolean mayLinger() {
    return !stale && enrolment.covers(false) && !enrolment.mayBeInSession();
  }

  /** See {@link Enrolment#lapse}. */
  void lapse() {
    enrolment.lapse();
  }

  /** The region if it is attached; needs no lock. */
  @Nullable Region region() {
    return attachment.region();
  }

  /** The inode was lost with a lease, for good. */
  boolean isLost() {
    return stale;
  }

  /** The process that exported the file is gone, and the file with it. */
  void end() {
    ended = true;
  }

  boolean isEnded() {
    return ended;
  }

  /** ESTALE if the inode was lost with a lease, or ended. */
  void requireUsable() {
    if (ended) {
      throw endedFailure();
    }
    if (stale) {
      throw new FsException(
          Errno.ESTALE, "inode " + id + " was removed while this node's lease had run out");
    }
  }

  FsException endedFailure() {
    return new FsException(
        Errno.ESTALE, "inode " + id + " has ended with the process that exported it");
  }

  /** The service counts this node's open; with {@code write} its session too, and has a region. */
  void begin(boolean write) {
    if (!enrolment.covers(write)) {
      long asked = privileges.now();
      Attributes before = enrolment.join(write);
      if (before.type() != FileType.FILE) {
        throw new FsException(
            before.type() == FileType.DIRECTORY ? Errno.EISDIR : Errno.ELOOP,
            "inode " + id + " is no file");
      }
      if (write) {
        privileges.learn(asked, before);
        attachment.beginSession(before);
      } else {
        attachment.learn(before);
      }
    } else if (write) {
      attachment.makeIfFirst();
    }
    attached.signalAll();
  }

  /** As {@link #begin}, for an inode that this node has made; the open came with that. */
  void beginCreated(Attributes created, boolean write) {
    enrolment.joined(write);
    attachment.created(created, write);
    attached.signalAll();
  }

  /** As {@link #begin}, for an inode that this node has made, and whose open may have ended. */
  void beginCreatedAndUsed(boolean write) {
    begin(write);
    if (write) {
      attachment.createdAndUsed();
    }
    attached.signalAll();
  }

  /** Opens again what the service may have forgotten; an inode that is gone is lost from now on. */
  void resume(boolean write) {
    enrolment.lapse();
    try {
      begin(write);
    } catch (FsException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
      LOG.warn("inode {} is gone since this node's lease ran out: {}", id, e.getMessage());
      stale = true;
      enrolment.end();
    }
  }

  /** Until when {@link #attach} called now waits. */
  static long attachDeadline() {
    return System.nanoTime() + ATTACH_GRACE.toNanos();
  }

  /**
   * The region, attached if it is not yet; null while nobody has written the file.
   *
   * @param deadline by System.nanoTime, from when on a region that is not there is lost
   */
  @Nullable Region attach(long deadline) {
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
  }

  /** Where the region is or would be. */
  NodeId home() {
    return attachment.home();
  }

  /** Lets the kernel use the region, which is at home here; null if it cannot be. */
  @Nullable BackingFile passThrough() {
    attachment.makeIfFirst();
    if (attachment.region() == null && !attachment.untouched()) {
      attachment.attach();
    }
    Region region = attachment.region();
    return region == null ? null : region.passThrough();
  }

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
  @SuppressWarnings("WaitNotInLoop") // attach() loops
  private void awaitAttached() {
    try {
      var unused = attached.await(ATTACH_RETRY_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw interrupted(id, e);
    }
  }

  /**
   * Ends the open and the session, if any, in one call, and lets go of the region.
   *
   * @param readAt when it was last closed after it had been read; null: it was not read
   * @return what may be dropped at its home
   */
  Removal endAll(@Nullable Instant readAt) {
    privileges.forget();
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
  void endSession() {
    privileges.forget();
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

  /** Its open is about to be ended by another call; {@link #ended} follows if that succeeds. */
  void ending() {
    enrolment.ending();
  }

  /** The service was told that nothing is open here. */
  void ended() {
    enrolment.end();
    attachment.close();
  }

  static FsException interrupted(InodeId id, InterruptedException e) {
    return new FsException(Errno.EINTR, "interrupted at inode " + id, e);
  }
}
