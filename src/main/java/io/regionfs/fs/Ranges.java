package io.regionfs.fs;

import io.regionfs.data.Region;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;

/** Which offsets and sizes a file may have. */
final class Ranges {
  private Ranges() {}

  /** EINVAL for what is negative. */
  static void check(long offset, long length) {
    if (offset < 0 || length < 0) {
      throw new FsException(Errno.EINVAL, length + " bytes at " + offset);
    }
  }

  /** EFBIG for a range that ends beyond the largest file. */
  static void checkEnd(long offset, long length) {
    if (offset > Region.MAX_SIZE - 1 || length > Region.MAX_SIZE - 1 - offset) {
      throw new FsException(Errno.EFBIG, length + " bytes at " + offset);
    }
  }

  /** EINVAL, EFBIG. */
  static void checkSize(long size) {
    check(size, 0);
    checkEnd(0, size);
  }
}
