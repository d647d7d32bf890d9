package io.regionfs.fs;

import io.regionfs.meta.Metadata;
import io.regionfs.meta.Metadata.Closed;
import io.regionfs.model.Attributes;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.RegionStat;
import java.time.Instant;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the metadata service believes of this node and one inode: an open, and a write session. A
 * node counts there once. After a call whose outcome is unknown (interrupted, timed out) so is the
 * belief, until the call is repeated; that does no harm, since opening twice is opening once.
 *
 * <p>Confined by the lock of the {@link OpenInode} it belongs to.
 */
final class Enrolment {
  private enum Standing {
    NONE,
    UNKNOWN,
    HELD
  }

  private static final Logger LOG = LoggerFactory.getLogger(Enrolment.class);

  private final InodeId id;
  private final Metadata metadata;
  private final Consumer<InodeId> ending;
  private Standing open = Standing.NONE;
  private Standing session = Standing.NONE;

  /**
   * @param ending told of the inode before each call that ends an open or a session
   */
  Enrolment(InodeId id, Metadata metadata, Consumer<InodeId> ending) {
    this.id = id;
    this.metadata = metadata;
    this.ending = ending;
  }

  /** The call failed, but may have been carried out, or may yet be. */
  static boolean outcomeUnknown(FsException failure) {
    return switch (failure.errno()) {
      case EINTR, ETIMEDOUT, EIO -> true;
      default -> false;
    };
  }

  /** The service certainly counts the open, and with {@code write} the session. */
  boolean covers(boolean write) {
    return open == Standing.HELD && (!write || session == Standing.HELD);
  }

  boolean mayBeOpen() {
    return open != Standing.NONE;
  }

  boolean mayBeInSession() {
    return session != Standing.NONE;
  }

  /** Opens at the service; the attributes are those from before. */
  Attributes join(boolean write) {
    Standing openBefore = open;
    Standing sessionBefore = session;
    open = Standing.UNKNOWN;
    session = write ? Standing.UNKNOWN : session;
    try {
      Attributes before = metadata.open(id, write);
      joined(write);
      return before;
    } catch (FsException e) {
      if (!outcomeUnknown(e)) {
        open = openBefore;
        session = sessionBefore;
      }
      throw e;
    }
  }

  /** The service has opened it with another call. */
  void joined(boolean write) {
    open = Standing.HELD;
    session = write ? Standing.HELD : session;
  }

  /** What the service counts is not certain any more. */
  void lapse() {
    open = mayBeOpen() ? Standing.UNKNOWN : open;
    session = mayBeInSession() ? Standing.UNKNOWN : session;
  }

  /** The service counts nothing. */
  void end() {
    open = Standing.NONE;
    session = Standing.NONE;
  }

  /**
   * Ends the session; see {@link Metadata#closeWrite}.
   *
   * @param stat null leaves what was committed last
   * @return the values are committed, or the inode is gone
   */
  boolean endSession(@Nullable RegionStat stat) {
    session = Standing.UNKNOWN;
    ending.accept(id);
    boolean committed = true;
    try {
      committed = metadata.closeWrite(id, stat);
    } catch (FsException e) {
      acceptRefusal(e);
    }
    session = Standing.NONE;
    return committed;
  }

  /** Its open is about to be ended by another call; {@link #end} follows if that succeeds. */
  void ending() {
    lapse();
    ending.accept(id);
  }

  /** Ends the open and the session, if any; see {@link Metadata#close}. */
  Closed endAll(@Nullable RegionStat stat, @Nullable Instant readAt) {
    ending();
    Closed closed = Closed.DONE;
    try {
      closed = metadata.close(id, stat, readAt);
    } catch (FsException e) {
      acceptRefusal(e);
    }
    end();
    return closed;
  }

  /** A service that refuses to end an open has none: it lapsed with a lease. */
  private void acceptRefusal(FsException e) {
    if (outcomeUnknown(e)) {
      throw e;
    }
    LOG.debug("inode {} was not open at the metadata service: {}", id, e.getMessage());
  }
}
