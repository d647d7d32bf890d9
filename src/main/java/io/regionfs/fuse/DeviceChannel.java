package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The open /dev/fuse of one mount; whoever opened the descriptor closes it. For many threads. */
final class DeviceChannel implements FuseChannel {
  /** There is no request now. */
  static final int NONE = -2;

  private static final Logger LOG = LoggerFactory.getLogger(DeviceChannel.class);
  private static final int ENOENT = 2;
  private static final int EINTR = 4;
  private static final int EBADF = 9;
  private static final int EAGAIN = 11;
  private static final int ENODEV = 19;
  private static final int ECONNABORTED = 103;

  /** FUSE_DEV_IOC_BACKING_OPEN, with a struct fuse_backing_map: descriptor, flags, padding. */
  private static final long BACKING_OPEN = 0x4010E501L;

  private static final int BACKING_MAP_BYTES = 16;

  /** FUSE_DEV_IOC_BACKING_CLOSE, with the id. */
  private static final long BACKING_CLOSE = 0x4004E502L;

  private static final LibC LIBC = LibC.INSTANCE;

  private final int fd;

  DeviceChannel(int fd) {
    this.fd = fd;
  }

  /** From now on {@link #tryReceive} returns at once. */
  void doNotBlock() {
    int flags = LIBC.fcntl(fd, LibC.F_GETFL, 0);
    if (flags < 0 || LIBC.fcntl(fd, LibC.F_SETFL, flags | LibC.O_NONBLOCK) < 0) {
      throw new IllegalStateException("/dev/fuse refuses O_NONBLOCK: errno " + LibC.errno());
    }
  }

  @Override
  public int receive(long address, int capacity) {
    int length = NONE;
    while (length == NONE) {
      length = tryReceive(address, capacity);
    }
    return length;
  }

  /**
   * As {@link #receive}, but returns {@link #NONE} where that would go on waiting.
   *
   * @return a length, {@link #NONE} or {@link #END}
   */
  int tryReceive(long address, int capacity) {
    while (true) {
      long bytes = LIBC.read(fd, address, capacity);
      if (bytes >= 0) {
        return (int) bytes;
      }
      int errno = LibC.errno();
      if (errno == EAGAIN) {
        return NONE;
      }
      // ENOENT: the request was interrupted before it was ours.
      if (errno == ENOENT || errno == EINTR) {
        continue;
      }
      if (errno != ENODEV && errno != ECONNABORTED && errno != EBADF) {
        LOG.error("Cannot read requests from /dev/fuse (errno {}): the mount ends", errno);
      }
      return END;
    }
  }

  @Override
  public boolean send(long vectors, int count) {
    if (LIBC.writev(fd, vectors, count) >= 0) {
      return true;
    }
    int errno = LibC.errno();
    if (errno != ENOENT && errno != ENODEV && errno != ECONNABORTED) {
      LOG.warn("The kernel refused a reply (errno {}); the request ends with an error", errno);
    }
    return false;
  }

  @Override
  public int tell(long address, int bytes) {
    return LIBC.write(fd, address, bytes) >= 0 ? 0 : LibC.errno();
  }

  @Override
  public int openBacking(int file) {
    long map = Memory.allocate(BACKING_MAP_BYTES);
    try {
      Memory.fill(map, BACKING_MAP_BYTES, (byte) 0);
      Memory.putInt(map, file);
      int id = LIBC.ioctl(fd, BACKING_OPEN, map);
      return id >= 0 ? id : -LibC.errno();
    } finally {
      Memory.free(map);
    }
  }

  @Override
  public void closeBacking(int id) {
    long argument = Memory.allocate(Integer.BYTES);
    try {
      Memory.putInt(argument, id);
      if (LIBC.ioctl(fd, BACKING_CLOSE, argument) < 0) {
        LOG.debug("The kernel has let go of file {} already (errno {})", id, LibC.errno());
      }
    } finally {
      Memory.free(argument);
    }
  }
}
