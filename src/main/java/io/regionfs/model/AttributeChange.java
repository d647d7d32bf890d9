package io.regionfs.model;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What one setattr changes; null leaves a field as it is. Source: chmod(2), chown(2), utimensat(2),
 * truncate(2).
 *
 * @param kill what privileges a program gets from the file that go with this; of other types none
 *     do
 */
public record AttributeChange(
    @Nullable Integer mode,
    @Nullable Integer uid,
    @Nullable Integer gid,
    @Nullable Long size,
    @Nullable TimeChange atime,
    @Nullable TimeChange mtime,
    Kill kill) {
  private static final int SET_USER_ID = 04000;
  private static final int SET_GROUP_ID = 02000;
  private static final int GROUP_MAY_EXECUTE = 010;

  /** Without a word on privileges. */
  public AttributeChange(
      @Nullable Integer mode,
      @Nullable Integer uid,
      @Nullable Integer gid,
      @Nullable Long size,
      @Nullable TimeChange atime,
      @Nullable TimeChange mtime) {
    this(mode, uid, gid, size, atime, mtime, Kill.NOTHING);
  }

  /** Only privileges go. */
  public static AttributeChange of(Kill kill) {
    return new AttributeChange(null, null, null, null, null, null, kill);
  }

  /** The mode of a file without what lets a program run as its owner or group. */
  public static int withoutSetId(int mode) {
    return mode & ~SET_USER_ID & ((mode & GROUP_MAY_EXECUTE) == 0 ? ~0 : ~SET_GROUP_ID);
  }

  /** Each takes what the one before it takes, and more. */
  public enum Kill {
    NOTHING,

    /** The attribute security.capability: capabilities(7). */
    CAPABILITY,

    /** The set-user-id bit too, and the set-group-id bit of a file that its group may execute. */
    ALL
  }

  /** A time to set: the given one, or with null the server's now (UTIME_NOW). */
  public record TimeChange(@Nullable Instant time) {
    public static final TimeChange NOW = new TimeChange(null);
  }
}
