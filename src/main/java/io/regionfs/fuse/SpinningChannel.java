package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;

/**
 * The open /dev/fuse of one mount, where the thread whose {@link ReadTurn} it is polls for a while
 * before it sleeps: a thread that is awake has a request 30 to 50 µs earlier than one that must be
 * woken. All others leave the device alone, so the kernel wakes nobody in vain. For many threads.
 */
final class SpinningChannel extends NonBlockingChannel {
  /** How long it polls after a request. */
  private static final long SPIN_NANOS = 100_000;

  private static final int POLLFD_BYTES = 8;
  private static final int EVENTS = 4;
  private static final LibC LIBC = LibC.INSTANCE;

  private final int fd;
  private final ReadTurn turn = new ReadTurn();

  /** A struct pollfd, for whoever has the turn. */
  private final long pollfd = Memory.allocate(POLLFD_BYTES);

  /**
   * @param fd will not block any more
   */
  SpinningChannel(int fd) {
    super(fd);
    this.fd = fd;
  }

  @Override
  @SuppressWarnings("ThreadPriorityCheck") // see where it yields
  public int receive(long address, int capacity) {
    turn.take();
    long until = System.nanoTime() + SPIN_NANOS;
    while (true) {
      int length = device.tryReceive(address, capacity);
      if (length == END) {
        turn.leave();
        return END;
      }
      if (length != DeviceChannel.NONE) {
        return length;
      }
      if (System.nanoTime() - until < 0) {
        Thread.yield(); // the one who would ask may be waiting for this CPU
      } else {
        turn.sleeps();
        awaitRequest();
        until = System.nanoTime() + SPIN_NANOS;
      }
    }
  }

  @Override
  public void noted() {
    turn.taken();
  }

  @Override
  public boolean takesTurns() {
    return true;
  }

  private void awaitRequest() {
    Memory.putInt(pollfd, fd);
    Memory.putInt(pollfd + EVENTS, LibC.POLLIN);
    LIBC.poll(pollfd, 1, -1); // whatever it says, the next read says it better
  }

  @Override
  public void leave() {
    turn.leave();
  }

  @Override
  public void close() {
    Memory.free(pollfd);
  }
}
