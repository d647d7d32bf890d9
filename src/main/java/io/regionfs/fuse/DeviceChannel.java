package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The open /dev/fuse of one mount; whoever opened the descriptor closes it. For many threads. */
final class DeviceChannel implements FuseChannel {
  private static final Logger LOG = LoggerFactory.getLogger(DeviceChannel.class);
  private static final int ENOENT = 2;
  private static final int EINTR = 4;
  private static final int EBADF = 9;
  private static final int EAGAIN = 11;
  private static final int ENODEV = 19;
  private static final int ECONNABORTED = 103;
  private static final LibC LIBC = LibC.INSTANCE;

  private final int fd;

  DeviceChannel(int fd) {
    this.fd = fd;
  }

  @Override
  public int receive(long address, int capacity) {
    while (true) {
      long bytes = LIBC.read(fd, address, capacity);
      if (bytes >= 0) {
        return (int) bytes;
      }
      int errno = LibC.errno();
      // ENOENT: the request was interrupted before it was ours.
      if (errno == ENOENT || errno == EINTR || errno == EAGAIN) {
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
}
