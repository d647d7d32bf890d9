package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.fuse.ReplyLayout.Header;
import io.regionfs.fuse.ReplyLayout.InvalidInode;
import io.regionfs.posix.Memory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the kernel what it may not keep any more. When a method returns the kernel has dropped it,
 * and will not keep the answer to a request that is on its way now: for attributes because their
 * version has changed since the kernel asked, for names because the kernel's epoch has.
 *
 * <p>Neither of the two messages waits for the lock of an inode: a thread that holds one, in a
 * request that cannot be answered before this message has its effect, does no harm. That is why
 * FUSE_NOTIFY_INVAL_ENTRY is not used: it locks the directory, which a LOOKUP holds while it waits
 * for the metadata service, which may be waiting for us.
 *
 * <p>For many threads; one message at a time.
 */
final class Notices implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Notices.class);
  private static final int ENOENT = 2;
  private static final int EBADF = 9;
  private static final int ENODEV = 19;
  private static final int ECONNABORTED = 103;
  private static final int ENOTCONN = 107;
  static final int INVAL_INODE = 2;
  private static final int INC_EPOCH = 8;

  private final FuseChannel channel;

  @GuardedBy("this")
  private final long message = Memory.allocate(InvalidInode.END);

  @GuardedBy("this")
  private boolean closed;

  /** Changes of the epoch that were begun; they end in this order. Written under the lock. */
  private volatile long begun;

  private volatile long done;
  private volatile boolean epochs;

  /**
   * @param channel borrowed: must outlive this
   */
  Notices(FuseChannel channel) {
    this.channel = channel;
  }

  /** Finds out whether the kernel has an epoch (Linux 6.16); to be called once it has said INIT. */
  synchronized void probe() {
    int errno = closed ? ENODEV : write(INC_EPOCH, Header.BYTES);
    epochs = errno == 0;
    LOG.debug("The kernel {} forget names", epochs ? "can" : "cannot");
  }

  /** Whether {@link #dropNames} works; else the kernel may not be given names to keep. */
  boolean canDropNames() {
    return epochs;
  }

  /** The kernel drops the attributes and access-control lists of an inode, if it has them. */
  synchronized void dropAttributes(long inode) {
    if (!closed) {
      Memory.putLong(message + InvalidInode.INODE, inode);
      Memory.putLong(message + InvalidInode.OFFSET, -1); // no pages
      Memory.putLong(message + InvalidInode.LENGTH, 0);
      check(INVAL_INODE, write(INVAL_INODE, InvalidInode.END));
    }
  }

  /** The kernel drops every name, present and absent, of every directory: it knows no less. */
  synchronized void dropNames() {
    if (!closed) {
      long number = begun + 1;
      begun = number;
      check(INC_EPOCH, write(INC_EPOCH, Header.BYTES));
      done = number;
    }
  }

  /** A point in time for {@link #namesDroppedSince}. */
  long now() {
    return begun;
  }

  /** Whether a {@link #dropNames} that began after that point in time has ended. */
  boolean namesDroppedSince(long point) {
    return done > point;
  }

  @GuardedBy("this")
  private int write(int code, int bytes) {
    Memory.putInt(message + Header.LENGTH, bytes);
    Memory.putInt(message + Header.ERROR, code);
    Memory.putLong(message + Header.UNIQUE, 0);
    return channel.tell(message, bytes);
  }

  /** Complains if the kernel refused a notice, unless it has no such inode or is gone. */
  static void check(int code, int errno) {
    switch (errno) {
      case 0, ENOENT -> {} // it has no such inode
      case EBADF, ENODEV, ECONNABORTED, ENOTCONN -> LOG.debug("The mount is gone: {}", errno);
      default ->
          LOG.error("The kernel refused notice {} (errno {}): it may show old state", code, errno);
    }
  }

  /** There will be no more messages. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      Memory.free(message);
    }
  }
}
