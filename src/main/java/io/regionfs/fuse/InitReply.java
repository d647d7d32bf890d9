package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.fuse.ReplyLayout.Init;
import io.regionfs.posix.LibC;

/** What we agree with the kernel on, in answer to INIT. */
final class InitReply {
  private static final int MAJOR = 7;

  /** The newest protocol that this package was written against. */
  private static final int NEWEST_MINOR = 40;

  /** Linux 6.16: over rings {@link PageNotices} needs a kernel that itself waits for pages. */
  private static final int RINGS_IN_ORDER = 44;

  private static final long ASYNC_READ = 1L;
  private static final long ATOMIC_O_TRUNC = 1L << 3;
  private static final long BIG_WRITES = 1L << 5;

  /** The umask comes with the request: it does not count where a default ACL does. */
  private static final long DONT_MASK = 1L << 6;

  private static final long ASYNC_DIO = 1L << 15;
  private static final long PARALLEL_DIROPS = 1L << 18;

  /** The kernel checks ACLs, and keeps them: {@link KernelCaches}. */
  private static final long POSIX_ACL = 1L << 20;

  private static final long ABORT_ERROR = 1L << 21;
  private static final long MAX_PAGES = 1L << 22;

  /** Privileges of files go with requests, see {@link FileSystem#killsPrivileges}. */
  private static final long HANDLE_KILLPRIV_V2 = 1L << 28;

  /** SETXATTR says whether the set-group-id bit must go, see {@link XattrHandlers}. */
  private static final long SETXATTR_EXT = 1L << 29;

  private static final long INIT_EXT = 1L << 30;

  /** Shared mappings of direct_io files, from Linux 6.6; before, mmap(MAP_SHARED) is ENODEV. */
  private static final long DIRECT_IO_ALLOW_MMAP = 1L << 36;

  /**
   * fcntl(2) and flock(2) come as requests; else the kernel keeps the locks, of this host alone.
   */
  private static final long LOCKS = 1L << 1 | 1L << 10;

  /**
   * Not among them: a write-back cache and read-ahead of directories (other hosts change what they
   * keep).
   */
  private static final long WANTED =
      ASYNC_READ
          | ATOMIC_O_TRUNC
          | BIG_WRITES
          | DONT_MASK
          | ASYNC_DIO
          | PARALLEL_DIROPS
          | POSIX_ACL
          | ABORT_ERROR
          | MAX_PAGES
          | SETXATTR_EXT
          | INIT_EXT
          | DIRECT_IO_ALLOW_MMAP;

  /** The kernel may use files of this host itself, from Linux 6.9: {@link PassThrough}. */
  private static final long PASSTHROUGH = 1L << 37;

  /** Files of a filesystem that is stacked on nothing, as tmpfs. */
  private static final int STACK_DEPTH = 1;

  /** Requests come over io_uring, from Linux 6.14, and taken from 6.16: {@link RingLanes}. */
  private static final long OVER_IO_URING = 1L << 41;

  private final long wanted;

  /** Of the flags, those without which there is no mount. */
  private final long needed;

  /**
   * @param overRings requests come over io_uring, or there is no mount
   */
  InitReply(FileSystem fileSystem, FuseOptions options, boolean overRings) {
    boolean mayPass = options.passThrough() && LibC.INSTANCE.getuid() == 0;
    this.needed = overRings ? OVER_IO_URING : 0;
    this.wanted =
        WANTED
            | (fileSystem.hasLocks() ? LOCKS : 0)
            | (fileSystem.killsPrivileges() ? HANDLE_KILLPRIV_V2 : 0)
            | (mayPass ? PASSTHROUGH : 0)
            | needed;
  }

  /**
   * Sends it. Only what the kernel offers is taken.
   *
   * @return false if it does not offer what is needed, or does not take the answer
   */
  boolean send(Request in, Reply out) {
    int minor = in.int32(RequestLayout.Init.MINOR);
    long offered = Integer.toUnsignedLong(in.int32(RequestLayout.Init.FLAGS));
    if ((offered & INIT_EXT) != 0) {
      offered |= (long) in.int32(RequestLayout.Init.FLAGS2) << 32;
    }
    if ((offered & needed) != needed || (needed != 0 && minor < RINGS_IN_ORDER)) {
      return false;
    }
    long flags = offered & wanted;
    out.clear(Init.END);
    out.int32(Init.MAJOR, MAJOR);
    out.int32(Init.MINOR, Math.min(NEWEST_MINOR, minor));
    out.int32(Init.MAX_READAHEAD, in.int32(RequestLayout.Init.MAX_READAHEAD));
    out.int32(Init.FLAGS, (int) flags);
    out.int16(Init.MAX_BACKGROUND, FuseLimits.MAX_BACKGROUND);
    out.int16(Init.CONGESTION_THRESHOLD, FuseLimits.CONGESTION_THRESHOLD);
    out.int32(Init.MAX_WRITE, FuseLimits.MAX_TRANSFER_BYTES);
    out.int32(Init.TIME_GRANULARITY, 1); // nanoseconds
    out.int16(Init.MAX_PAGES, FuseLimits.MAX_TRANSFER_PAGES);
    out.int32(Init.FLAGS2, (int) (flags >>> 32));
    out.int32(Init.MAX_STACK_DEPTH, (flags & PASSTHROUGH) == 0 ? 0 : STACK_DEPTH);
    return out.send(Init.END);
  }
}
