package io.regionfs.model;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What one setattr changes; null leaves a field as it is. Source: chmod(2), chown(2), utimensat(2),
 * truncate(2).
 */
public record AttributeChange(
    @Nullable Integer mode,
    @Nullable Integer uid,
    @Nullable Integer gid,
    @Nullable Long size,
    @Nullable TimeChange atime,
    @Nullable TimeChange mtime) {

  /** A time to set: the given one, or with null the server's now (UTIME_NOW). */
  public record TimeChange(@Nullable Instant time) {
    public static final TimeChange NOW = new TimeChange(null);
  }
}
