package io.regionfs.fs;

import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;

/**
 * What counts of the flags of open(2). O_APPEND does not: the kernel says with each write whether
 * it appends. {@code kill} is for O_TRUNC. Source: asm-generic/fcntl.h.
 */
record OpenFlags(boolean read, boolean write, boolean truncate, boolean marksRead, Kill kill) {
  static final int O_WRONLY = 1;
  static final int O_RDWR = 2;
  static final int O_TRUNC = 01000;
  static final int O_NOATIME = 01000000;
  private static final int O_ACCMODE = 3;

  static OpenFlags of(int flags) {
    int access = flags & O_ACCMODE;
    if (access == O_ACCMODE) {
      throw new FsException(Errno.EINVAL, "open flags 0" + Integer.toOctalString(flags));
    }
    return new OpenFlags(
        access != O_WRONLY,
        access != 0,
        (flags & O_TRUNC) != 0,
        (flags & O_NOATIME) == 0,
        (flags & FileSystem.OPEN_KILLS) == 0 ? Kill.CAPABILITY : Kill.ALL);
  }
}
