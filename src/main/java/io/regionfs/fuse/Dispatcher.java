package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.fuse.RequestLayout.Header;
import io.regionfs.fuse.RequestLayout.Interrupt;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one funnel between the kernel and the filesystem: every request gets exactly one reply, a
 * refusal its errno, an unexpected failure EIO. Safe for use by many threads, each with its own
 * {@link Request} and {@link Reply}.
 */
final class Dispatcher implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

  private final NameHandlers names;
  private final InodeHandlers inodes;
  private final FileHandlers files;
  private final DirectoryHandlers directories;
  private final XattrHandlers xattrs;
  private final LockHandlers locks;
  private final Interrupts interrupts;

  /** All borrowed. */
  Dispatcher(
      FileSystem fileSystem, KernelCaches caches, PassThrough passThrough, Interrupts interrupts) {
    this.names = new NameHandlers(fileSystem, caches);
    this.inodes = new InodeHandlers(fileSystem, caches);
    this.files = new FileHandlers(fileSystem, passThrough);
    this.directories = new DirectoryHandlers(fileSystem);
    this.xattrs = new XattrHandlers(fileSystem, caches);
    this.locks = new LockHandlers(files, interrupts);
    this.interrupts = interrupts;
  }

  /** Serves the request and sends its reply. Never throws. */
  void serve(Request in, Reply out) {
    if (in.length() < Header.BYTES) {
      LOG.error("Ignored a request of {} bytes: shorter than its header", in.length());
      return;
    }
    int opcode = in.opcode();
    out.begin(in.unique());
    try {
      dispatch(opcode, in, out);
      if (!out.settled() && wantsReply(opcode)) {
        LOG.error("Request {} (opcode {}) was left without a reply: EIO", in.unique(), opcode);
        out.error(Errno.EIO);
      }
    } catch (FsException e) {
      refuse(out, opcode, e.errno());
      LOG.debug("Opcode {} on inode {}: {}", opcode, in.node(), e.getMessage());
    } catch (Throwable e) {
      refuse(out, opcode, Errno.EIO); // first of all: without memory, logging fails too
      LOG.error("Opcode {} on inode {} failed: EIO", opcode, in.node(), e);
    }
  }

  /** Answers ENOTCONN, as the kernel itself will once the mount is closed. */
  void refuse(Request in, Reply out) {
    if (in.length() >= Header.BYTES) {
      out.begin(in.unique());
      refuse(out, in.opcode(), Errno.ENOTCONN);
    }
  }

  private static void refuse(Reply out, int opcode, Errno errno) {
    if (!out.settled() && wantsReply(opcode)) {
      out.error(errno);
    }
  }

  private static boolean wantsReply(int opcode) {
    return opcode != Opcode.FORGET && opcode != Opcode.BATCH_FORGET && opcode != Opcode.INTERRUPT;
  }

  private void dispatch(int opcode, Request in, Reply out) {
    switch (opcode) {
      case Opcode.READ -> files.read(in, out);
      case Opcode.WRITE -> files.write(in, out);
      case Opcode.LOOKUP -> names.lookup(in, out);
      case Opcode.GETATTR -> inodes.getattr(in, out);
      case Opcode.SETATTR -> inodes.setattr(in, out);
      case Opcode.READLINK -> inodes.readlink(in, out);
      case Opcode.STATX -> inodes.statx(in, out);
      case Opcode.STATFS -> inodes.statfs(out);
      case Opcode.SYMLINK -> names.symlink(in, out);
      case Opcode.MKNOD -> names.mknod(in, out);
      case Opcode.MKDIR -> names.mkdir(in, out);
      case Opcode.UNLINK -> names.unlink(in, out);
      case Opcode.RMDIR -> names.rmdir(in, out);
      case Opcode.RENAME -> names.rename(in, out);
      case Opcode.RENAME2 -> names.rename2(in, out);
      case Opcode.LINK -> names.link(in, out);
      case Opcode.OPEN -> files.open(in, out);
      case Opcode.CREATE -> files.create(in, out);
      case Opcode.RELEASE -> files.release(in, out);
      case Opcode.FLUSH -> files.flush(in, out);
      case Opcode.FSYNC -> files.fsync(in, out);
      case Opcode.FALLOCATE -> files.fallocate(in, out);
      case Opcode.LSEEK -> files.lseek(in, out);
      case Opcode.GETLK -> locks.getlk(in, out);
      case Opcode.SETLK -> locks.setlk(in, out);
      case Opcode.SETLKW -> locks.setlkw(in, out);
      case Opcode.OPENDIR -> directories.opendir(in, out);
      case Opcode.READDIR -> directories.readdir(in, out);
      case Opcode.RELEASEDIR -> directories.releasedir(in, out);
      case Opcode.FSYNCDIR -> directories.fsyncdir(in, out);
      case Opcode.SETXATTR -> xattrs.setxattr(in, out);
      case Opcode.GETXATTR -> xattrs.getxattr(in, out);
      case Opcode.LISTXATTR -> xattrs.listxattr(in, out);
      case Opcode.REMOVEXATTR -> xattrs.removexattr(in, out);
      case Opcode.INTERRUPT -> interrupt(in, out);
      case Opcode.FORGET, Opcode.BATCH_FORGET -> {} // we keep nothing per inode for the kernel
      case Opcode.DESTROY -> out.send();
      case Opcode.IOCTL -> out.error(Errno.ENOTTY);
      // ACCESS: the kernel checks modes; the rest it does without us or refuses.
      default -> out.error(Errno.ENOSYS);
    }
  }

  /**
   * No reply, or EAGAIN: the thread has not begun that request yet, the kernel asks again; or does
   * not want to, for requests that come over io_uring.
   */
  private void interrupt(Request in, Reply out) {
    long request = in.int64(Interrupt.UNIQUE);
    if (!interrupts.interrupt(request) && !out.error(Errno.EAGAIN)) {
      interrupts.interruptLater(request);
    }
  }

  /**
   * Interrupts what waits for locks; no request may be served any more.
   *
   * @return false if something still waits: it will use the channel
   */
  boolean endWaits(Duration patience) {
    return locks.endWaits(patience);
  }

  /** Closes whatever the kernel left open, when the mount is gone. */
  @Override
  public void close() {
    directories.close();
    files.close();
  }
}
