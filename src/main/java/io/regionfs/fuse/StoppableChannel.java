package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;

/**
 * The open /dev/fuse of a mount whose requests come over io_uring, for what goes past the rings:
 * FORGET and INTERRUPT. Others than the kernel can end the wait. For many threads.
 */
final class StoppableChannel extends NonBlockingChannel {
  private static final int POLLFD_BYTES = 8;
  private static final int EVENTS = 4;
  private static final LibC LIBC = LibC.INSTANCE;

  /** An eventfd. */
  private final int stop;

  /** Two struct pollfd; what poll(2) answers in them is not looked at. */
  private final long pollfds = Memory.allocate(2 * POLLFD_BYTES);

  private volatile boolean stopped;

  /**
   * @param fd will not block any more
   */
  StoppableChannel(int fd) {
    super(fd);
    this.stop = LIBC.eventfd(0, LibC.O_CLOEXEC);
    if (stop < 0) {
      throw new IllegalStateException("no eventfd: errno " + LibC.errno());
    }
    Memory.putInt(pollfds, fd);
    Memory.putInt(pollfds + EVENTS, LibC.POLLIN);
    Memory.putInt(pollfds + POLLFD_BYTES, stop);
    Memory.putInt(pollfds + POLLFD_BYTES + EVENTS, LibC.POLLIN);
  }

  /** Can be read from {@link #stop} on. */
  int stopDescriptor() {
    return stop;
  }

  /** From now on {@link #receive} returns {@link #END}. */
  void stop() {
    stopped = true;
    long one = Memory.allocate(Long.BYTES);
    Memory.putLong(one, 1);
    LIBC.write(stop, one, Long.BYTES);
    Memory.free(one);
  }

  @Override
  public int receive(long address, int capacity) {
    while (!stopped) {
      int length = device.tryReceive(address, capacity);
      if (length != DeviceChannel.NONE) {
        return length;
      }
      LIBC.poll(pollfds, 2, -1);
    }
    return END;
  }

  @Override
  public void close() {
    LIBC.close(stop);
    Memory.free(pollfds);
  }
}
