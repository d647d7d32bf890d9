package io.regionfs.region;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.nio.file.Path;

/**
 * The open file of a region that the kernel uses itself: what this process does to it goes through
 * the same system calls, so that tmpfs orders it with what the kernel does. Safe for use by many
 * threads, except that {@link #append} is for one at a time; nothing may be called once it is
 * closed.
 */
final class DirectFile implements AutoCloseable {
  private static final LibC C = LibC.INSTANCE;
  private static final long SYS_STATX = 332;
  private static final long STATX_BASIC = 0x7ff;
  private static final int STATX_BYTES = 256;
  private static final int SIZE = 40;
  private static final int BLOCKS = 48;
  private static final int ATIME = 64;
  private static final int MTIME = 112;
  private static final int SECTOR_BYTES = 512;
  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  private final InodeId inode;
  private final int fd;
  private final int appendFd;

  /** A result of statx(2), then an empty string. Guarded by this. */
  private final long scratch;

  /**
   * What fstat(2) says.
   *
   * @param bytes of memory that the file holds
   */
  record State(long size, long bytes, long atimeNanos, long mtimeNanos) {}

  private DirectFile(InodeId inode, int fd, int appendFd) {
    this.inode = inode;
    this.fd = fd;
    this.appendFd = appendFd;
    this.scratch = Memory.allocate(STATX_BYTES + Long.BYTES);
    Memory.putLong(scratch + STATX_BYTES, 0);
  }

  /** Opens the file, which exists. Its access time becomes 0, so that relatime notes a read. */
  static DirectFile open(InodeId inode, Path path) {
    String name = path.toString();
    int fd = C.open(name, LibC.O_RDWR | LibC.O_CLOEXEC, 0);
    if (fd < 0) {
      throw failure("open", inode);
    }
    int flags = LibC.O_RDWR | LibC.O_APPEND | LibC.O_NOATIME | LibC.O_CLOEXEC;
    int appendFd = C.open(name, flags, 0);
    if (appendFd < 0) {
      FsException failure = failure("open", inode);
      C.close(fd);
      throw failure;
    }
    DirectFile file = new DirectFile(inode, fd, appendFd);
    file.forgetReads();
    return file;
  }

  private synchronized void forgetReads() {
    Memory.putLong(scratch, 0);
    Memory.putLong(scratch + 8, 0);
    Memory.putLong(scratch + 16, 0);
    Memory.putLong(scratch + 24, LibC.UTIME_OMIT);
    check("futimens", C.futimens(fd, scratch));
  }

  int descriptor() {
    return fd;
  }

  synchronized State state() {
    long empty = scratch + STATX_BYTES;
    check("statx", C.syscall(SYS_STATX, fd, empty, LibC.AT_EMPTY_PATH, STATX_BASIC, scratch, 0));
    return new State(
        Memory.getLong(scratch + SIZE),
        Memory.getLong(scratch + BLOCKS) * SECTOR_BYTES,
        nanosAt(ATIME),
        nanosAt(MTIME));
  }

  private long nanosAt(int field) {
    long seconds = Memory.getLong(scratch + field);
    return seconds * NANOS_PER_SECOND + Memory.getInt(scratch + field + Long.BYTES);
  }

  /** Copies bytes of the file to memory; returns how many there are. */
  int read(long offset, int length, long target) {
    int done = 0;
    while (done < length) {
      // The other descriptor leaves the access time alone.
      long count = C.pread(appendFd, target + done, length - done, offset + done);
      if (count == 0) {
        break;
      }
      if (count > 0) {
        done += (int) count;
      } else if (LibC.errno() != Errno.EINTR.code()) {
        throw failure("pread", inode);
      }
    }
    return done;
  }

  /** Writes at an offset, and extends the file if need be. */
  void write(long offset, long source, long length) {
    long done = 0;
    while (done < length) {
      // A descriptor with O_APPEND would ignore the offset.
      long count = C.pwrite(fd, source + done, length - done, offset + done);
      if (count >= 0) {
        done += count;
      } else if (LibC.errno() != Errno.EINTR.code()) {
        throw failure("pwrite", inode);
      }
    }
  }

  /** Writes at the end of the file, by one system call: in one piece. Returns where. */
  long append(long source, long length) {
    long count = C.write(appendFd, source, length);
    while (count < 0 && LibC.errno() == Errno.EINTR.code()) {
      count = C.write(appendFd, source, length);
    }
    check("write", count);
    if (count < length) {
      throw new FsException(
          Errno.ENOSPC, "only " + count + " of " + length + " bytes could be appended");
    }
    return check("lseek", C.lseek(appendFd, 0, 1)) - length;
  }

  /** Makes the file shorter. */
  void cut(long size) {
    check("ftruncate", C.ftruncate(fd, size));
  }

  /**
   * Makes the file at least so long and never shorter, as ftruncate(2) might if the kernel extends
   * it now. Its last page gets memory.
   */
  void extend(long size) {
    fallocate(0, size - 1, 1);
  }

  /** Gives memory to a range of any length, beyond the end too. */
  void reserve(long from, long to) {
    for (long at = from; at < to; at += Piece.BYTES) {
      fallocate(LibC.FALLOC_FL_KEEP_SIZE, at, Math.min(Piece.BYTES, to - at));
    }
  }

  /** Makes a range zeros: whole pages give their memory back. */
  void punch(long from, long to) {
    fallocate(LibC.FALLOC_FL_PUNCH_HOLE | LibC.FALLOC_FL_KEEP_SIZE, from, to - from);
  }

  private void fallocate(int mode, long offset, long bytes) {
    while (C.fallocate(fd, mode, offset, bytes) != 0) {
      if (LibC.errno() != Errno.EINTR.code()) {
        throw failure("fallocate", inode);
      }
    }
  }

  /** lseek(2) with SEEK_DATA or SEEK_HOLE; −1 if there is nothing to be found. */
  long seek(long offset, boolean hole) {
    long found = C.lseek(fd, offset, hole ? LibC.SEEK_HOLE : LibC.SEEK_DATA);
    if (found < 0 && LibC.errno() != Errno.ENXIO.code()) {
      throw failure("lseek", inode);
    }
    return found;
  }

  /** Adds to the set whatever pages of a range hold data. */
  void addData(ExtentSet extents, long from, long to) {
    for (long at = seek(from, false); at >= 0 && at < to; ) {
      long end = seek(at, true);
      if (end < 0) {
        return; // it became shorter
      }
      extents.add(Pages.down(at), Pages.up(Math.min(end, to)));
      at = seek(end, false);
    }
  }

  private long check(String call, long result) {
    if (result == -1) {
      throw failure(call, inode);
    }
    return result;
  }

  private static FsException failure(String call, InodeId inode) {
    int code = LibC.errno();
    Errno errno = Errno.of(code);
    String detail = call + " of the memory of region " + inode + " failed with errno " + code;
    return new FsException(
        errno == Errno.ENOSPC || errno == Errno.ENOMEM || errno == Errno.EFBIG ? errno : Errno.EIO,
        detail);
  }

  @Override
  public synchronized void close() {
    C.close(fd);
    C.close(appendFd);
    Memory.free(scratch);
  }
}
