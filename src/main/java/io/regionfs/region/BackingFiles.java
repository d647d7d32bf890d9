package io.regionfs.region;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The sparse tmpfs files that hold the regions' bytes, one per region, named by the inode in hex.
 * Keeps no descriptor open: a host may hold more regions than it may have descriptors. A file is
 * changed by one thread at a time, the one that holds the region's lock.
 */
final class BackingFiles {
  private static final int NAME_DIGITS = 16;
  private static final LibC C = LibC.INSTANCE;

  private final Path directory;

  /** Something to do with an open file. */
  @FunctionalInterface
  private interface Use {
    long with(int fd);
  }

  BackingFiles(Path directory) {
    this.directory = directory;
  }

  Path path(InodeId inode) {
    String hex = Long.toHexString(inode.value());
    return directory.resolve("0".repeat(NAME_DIGITS - hex.length()) + hex);
  }

  /** Whether a name is one that {@link #path} makes. */
  static boolean isRegionName(String name) {
    return name.length() == NAME_DIGITS
        && name.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  }

  static InodeId inodeOf(String name) {
    return new InodeId(Long.parseUnsignedLong(name, 16));
  }

  /** Makes the file if it is missing and gives it a length; it gets no memory by that. */
  void setLength(InodeId inode, long bytes) {
    use(inode, LibC.O_CREAT, fd -> check("ftruncate", inode, C.ftruncate(fd, bytes)));
  }

  long length(InodeId inode) {
    return use(inode, 0, fd -> check("lseek", inode, C.lseek(fd, 0, 2)));
  }

  /**
   * Gives memory to the ranges, which lie within the length and have none yet.
   *
   * @throws FsException ENOSPC when tmpfs is full; some of the ranges may have memory then
   */
  void reserve(InodeId inode, ExtentSet ranges) {
    use(
        inode,
        0,
        fd -> {
          ranges.forEach(0, Long.MAX_VALUE, (from, to) -> reserveRange(fd, inode, from, to));
          return 0;
        });
  }

  /** In steps: a signal makes tmpfs give back all that the call has got so far. */
  private static void reserveRange(int fd, InodeId inode, long from, long to) {
    for (long at = from; at < to; at += Piece.BYTES) {
      fallocate(fd, inode, LibC.FALLOC_FL_KEEP_SIZE, at, Math.min(Piece.BYTES, to - at));
    }
  }

  /** Gives the memory of a range back; whole pages only. */
  void punch(InodeId inode, long from, long to) {
    int mode = LibC.FALLOC_FL_PUNCH_HOLE | LibC.FALLOC_FL_KEEP_SIZE;
    use(
        inode,
        0,
        fd -> {
          fallocate(fd, inode, mode, from, to - from);
          return 0;
        });
  }

  /**
   * Finds the ranges that hold data, and frees whatever else the file holds: memory that was
   * reserved and never touched, which looks like a hole, as after a crash between the two.
   */
  ExtentSet scan(InodeId inode, long length) {
    ExtentSet found = new ExtentSet();
    use(
        inode,
        0,
        fd -> {
          for (long at = 0; at < length; ) {
            long data = C.lseek(fd, at, LibC.SEEK_DATA);
            if (data < 0 && LibC.errno() != Errno.ENXIO.code()) {
              throw failure("lseek", inode);
            }
            long start = data < 0 ? length : data;
            if (start > at) {
              int mode = LibC.FALLOC_FL_PUNCH_HOLE | LibC.FALLOC_FL_KEEP_SIZE;
              fallocate(fd, inode, mode, at, start - at);
            }
            at = start;
            if (start < length) {
              at = Pages.up(check("lseek", inode, C.lseek(fd, start, LibC.SEEK_HOLE)));
              found.add(Pages.down(start), at);
            }
          }
          return 0;
        });
    return found;
  }

  /** Maps a range shared, for reading and writing; the caller unmaps it. */
  long map(InodeId inode, long offset, long bytes) {
    int protection = LibC.PROT_READ | LibC.PROT_WRITE;
    return use(
        inode,
        0,
        fd -> check("mmap", inode, C.mmap(0, bytes, protection, LibC.MAP_SHARED, fd, offset)));
  }

  /** Removes the file if there is one. */
  void delete(InodeId inode) {
    try {
      Files.deleteIfExists(path(inode));
    } catch (IOException e) {
      throw new FsException(Errno.EIO, "cannot remove the memory of region " + inode, e);
    }
  }

  private long use(InodeId inode, int flags, Use use) {
    int fd =
        C.open(path(inode).toString(), LibC.O_RDWR | LibC.O_NOATIME | LibC.O_CLOEXEC | flags, 0600);
    check("open", inode, fd);
    try {
      return use.with(fd);
    } finally {
      C.close(fd);
    }
  }

  private static void fallocate(int fd, InodeId inode, int mode, long offset, long bytes) {
    while (C.fallocate(fd, mode, offset, bytes) != 0) {
      if (LibC.errno() != Errno.EINTR.code()) {
        throw failure("fallocate", inode);
      }
    }
  }

  private static long check(String call, InodeId inode, long result) {
    if (result == -1) {
      throw failure(call, inode);
    }
    return result;
  }

  private static FsException failure(String call, InodeId inode) {
    int code = LibC.errno();
    Errno errno = Errno.of(code);
    String detail = call + " of the memory of region " + inode + " failed with errno " + code;
    // Whatever else tmpfs says is no mistake of the caller.
    return new FsException(
        errno == Errno.ENOSPC || errno == Errno.ENOMEM ? errno : Errno.EIO, detail);
  }
}
