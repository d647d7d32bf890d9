package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.io.IOException;

/**
 * An io_uring with entries of 128 bytes, by system calls. One thread submits and takes completions;
 * another may close it when that thread has ended. Source: linux/io_uring.h, io_uring(7).
 */
final class Ring {
  private static final int SETUP = 425;
  private static final int ENTER = 426;
  private static final int SETUP_SQE128 = 1 << 10;
  private static final int PARAMETERS_BYTES = 120;
  private static final int SQ_OFFSETS = 40;
  private static final int CQ_OFFSETS = 80;
  private static final long SQES_AT = 0x10000000L;
  private static final int MAP_POPULATE = 0x8000;
  private static final int GETEVENTS = 1;
  private static final int EINTR = 4;
  private static final int SQE_BYTES = 128;
  private static final int CQE_BYTES = 16;
  private static final LibC LIBC = LibC.INSTANCE;

  private static final int OPCODE = 0;
  private static final int DESCRIPTOR = 4;
  private static final int COMMAND = 8;
  private static final int ADDRESS = 16;
  private static final int LENGTH = 24;
  private static final int POLL_EVENTS = 28;
  private static final int USER_DATA = 32;
  private static final int COMMAND_DATA = 48;
  private static final int POLL_ADD = 6;
  private static final int URING_CMD = 46;

  private final int fd;
  private final long rings;
  private final long ringsBytes;
  private final long sqes;
  private final long sqesBytes;
  private final long sqTailAt;
  private final long sqArray;
  private final int sqMask;
  private final long cqHeadAt;
  private final long cqTailAt;
  private final long cqes;
  private final int cqMask;
  private int sqTail;
  private int unsubmitted;
  private int cqHead;

  private Ring(int fd, long parameters) throws IOException {
    this.fd = fd;
    int entries = Memory.getInt(parameters);
    int completions = Memory.getInt(parameters + 4);
    long sq = parameters + SQ_OFFSETS;
    long cq = parameters + CQ_OFFSETS;
    ringsBytes =
        Math.max(
            Memory.getInt(sq + 24) + entries * 4L,
            Memory.getInt(cq + 20) + completions * (long) CQE_BYTES);
    rings = map(ringsBytes, 0);
    sqesBytes = entries * (long) SQE_BYTES;
    sqes = mapEntries();
    sqTailAt = rings + Memory.getInt(sq + 4);
    sqMask = Memory.getInt(rings + Memory.getInt(sq + 8));
    sqArray = rings + Memory.getInt(sq + 24);
    cqHeadAt = rings + Memory.getInt(cq);
    cqTailAt = rings + Memory.getInt(cq + 4);
    cqMask = Memory.getInt(rings + Memory.getInt(cq + 8));
    cqes = rings + Memory.getInt(cq + 20);
  }

  private long mapEntries() throws IOException {
    try {
      return map(sqesBytes, SQES_AT);
    } catch (IOException e) {
      LIBC.munmap(rings, ringsBytes);
      throw e;
    }
  }

  private long map(long bytes, long offset) throws IOException {
    long address =
        LIBC.mmap(
            0, bytes, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED | MAP_POPULATE, fd, offset);
    if (address == -1) {
      throw new IOException("an io_uring cannot be mapped: errno " + LibC.errno());
    }
    return address;
  }

  /**
   * @throws IOException if the kernel has none for us
   */
  static Ring open(int entries) throws IOException {
    long parameters = Memory.allocate(PARAMETERS_BYTES);
    int fd = -1;
    boolean opened = false;
    try {
      Memory.fill(parameters, PARAMETERS_BYTES, (byte) 0);
      Memory.putInt(parameters + 8, SETUP_SQE128);
      fd = (int) LIBC.syscall(SETUP, entries, parameters, 0, 0, 0, 0);
      if (fd < 0) {
        throw new IOException("no io_uring can be made: errno " + LibC.errno());
      }
      Ring ring = new Ring(fd, parameters);
      opened = true;
      return ring;
    } finally {
      Memory.free(parameters);
      if (fd >= 0 && !opened) {
        LIBC.close(fd);
      }
    }
  }

  /** Prepares a request to be told once when the descriptor can be read. */
  void preparePoll(int descriptor, long userData) {
    long sqe = next(POLL_ADD, descriptor, userData);
    Memory.putInt(sqe + POLL_EVENTS, LibC.POLLIN);
    advance();
  }

  /**
   * Prepares a command of /dev/fuse, struct fuse_uring_cmd_req.
   *
   * @param iovecs address of two struct iovec, or 0
   * @param commit which request is answered, or 0
   */
  void prepareCommand(int fuse, int command, long iovecs, int queue, long commit, long userData) {
    long sqe = next(URING_CMD, fuse, userData);
    Memory.putInt(sqe + COMMAND, command);
    Memory.putLong(sqe + ADDRESS, iovecs);
    Memory.putInt(sqe + LENGTH, iovecs == 0 ? 0 : 2);
    Memory.putLong(sqe + COMMAND_DATA + 8, commit);
    Memory.putShort(sqe + COMMAND_DATA + 16, (short) queue);
    advance();
  }

  private long next(int opcode, int descriptor, long userData) {
    long sqe = sqes + (sqTail & sqMask) * (long) SQE_BYTES;
    Memory.fill(sqe, SQE_BYTES, (byte) 0);
    Memory.putByte(sqe + OPCODE, (byte) opcode);
    Memory.putInt(sqe + DESCRIPTOR, descriptor);
    Memory.putLong(sqe + USER_DATA, userData);
    return sqe;
  }

  private void advance() {
    Memory.putInt(sqArray + (sqTail & sqMask) * 4L, sqTail & sqMask);
    sqTail++;
    unsubmitted++;
    Memory.putIntVolatile(sqTailAt, sqTail);
  }

  /**
   * Submits what is prepared, and waits until there is a completion.
   *
   * @param completions how many to wait for
   * @return 0, or the errno of the kernel's refusal
   */
  int enter(int completions) {
    while (true) {
      long submitted = LIBC.syscall(ENTER, fd, unsubmitted, completions, GETEVENTS, 0, 0);
      if (submitted >= 0) {
        unsubmitted -= (int) submitted;
        return 0;
      }
      int errno = LibC.errno();
      if (errno != EINTR) {
        return errno;
      }
    }
  }

  /** The address of the next completion, struct io_uring_cqe, or 0; {@link #seen} frees it. */
  long completion() {
    return cqHead == Memory.getIntVolatile(cqTailAt)
        ? 0
        : cqes + (cqHead & cqMask) * (long) CQE_BYTES;
  }

  static long userData(long completion) {
    return Memory.getLong(completion);
  }

  static int result(long completion) {
    return Memory.getInt(completion + 8);
  }

  void seen() {
    cqHead++;
    Memory.putIntVolatile(cqHeadAt, cqHead);
  }

  void close() {
    LIBC.munmap(sqes, sqesBytes);
    LIBC.munmap(rings, ringsBytes);
    LIBC.close(fd);
  }
}
