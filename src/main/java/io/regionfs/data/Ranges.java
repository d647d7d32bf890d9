package io.regionfs.data;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;

/** Refuses positions that no region can have. */
public final class Ranges {
  private Ranges() {}

  /** EINVAL for a negative number. */
  public static void checkOffset(long offset) {
    if (offset < 0) {
      throw new FsException(Errno.EINVAL, "negative offset or size: " + offset);
    }
  }

  /** Also EFBIG for a size at or beyond the largest. */
  public static void checkSize(long size) {
    checkOffset(size);
    if (size >= Region.MAX_SIZE) {
      throw new FsException(Errno.EFBIG, "no region can have " + size + " bytes");
    }
  }

  /** Also EFBIG for a range that ends at or beyond the largest size. */
  public static void checkWrite(long offset, long length) {
    checkOffset(offset);
    checkOffset(length);
    if (offset >= Region.MAX_SIZE || length >= Region.MAX_SIZE - offset) {
      throw new FsException(Errno.EFBIG, "no region can have " + length + " bytes at " + offset);
    }
  }

  /** Also EINVAL for an empty range. */
  public static void checkAllocation(long offset, long length) {
    checkOffset(offset);
    if (length <= 0) {
      throw new FsException(Errno.EINVAL, "the range is empty: " + length);
    }
    checkWrite(offset, length);
  }
}
