package io.regionfs.fuse;

import io.regionfs.data.BackingFile;
import io.regionfs.data.ReadSink;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FsException;
import io.regionfs.posix.LibC;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;

/** The bytes of one file as a file of tmpfs without a name, which the kernel may use itself. */
class BackedFile implements FileBytes, BackingFile {
  private static final int O_TMPFILE = 020200000;
  private static final int SEEK_END = 2;
  private static final LibC LIBC = LibC.INSTANCE;

  private final int fd;

  BackedFile() {
    this.fd = LIBC.open("/dev/shm", O_TMPFILE | LibC.O_RDWR | LibC.O_CLOEXEC, 0600);
    check(fd);
  }

  private static long check(long result) {
    if (result < 0) {
      throw new FsException(LibC.errno() == 6 ? Errno.ENXIO : Errno.EIO, "errno " + LibC.errno());
    }
    return result;
  }

  private Path path() {
    return Path.of("/proc/self/fd/" + fd);
  }

  @Override
  public int descriptor() {
    return fd;
  }

  @Override
  public synchronized long size() {
    return check(LIBC.lseek(fd, 0, SEEK_END));
  }

  @Override
  public synchronized long allocatedBytes() {
    return size();
  }

  @Override
  public Instant changed() {
    try {
      return Files.getLastModifiedTime(path()).toInstant();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void read(long offset, int length, long staging, ReadSink sink) {
    sink.accept(staging, (int) check(LIBC.pread(fd, staging, length, offset)));
  }

  @Override
  public synchronized void write(long offset, long source, int length, boolean append) {
    check(LIBC.pwrite(fd, source, length, append ? size() : offset));
  }

  @Override
  public void truncate(long newSize) {
    check(LIBC.ftruncate(fd, newSize));
  }

  @Override
  public void allocate(FallocateMode mode, long offset, long length) {
    check(LIBC.fallocate(fd, bits(mode), offset, length));
  }

  /** Source: linux/falloc.h. */
  private static int bits(FallocateMode mode) {
    return switch (mode) {
      case ALLOCATE -> 0;
      case ALLOCATE_KEEP_SIZE -> 1;
      case PUNCH_HOLE -> 3;
      case ZERO_RANGE -> 0x10;
      case ZERO_RANGE_KEEP_SIZE -> 0x11;
    };
  }

  @Override
  public synchronized long seek(long offset, boolean hole) {
    return check(LIBC.lseek(fd, offset, hole ? LibC.SEEK_HOLE : LibC.SEEK_DATA));
  }

  @Override
  public void free() {
    LIBC.close(fd);
  }

  /** Its life is the inode's. */
  @Override
  public void close() {}
}
