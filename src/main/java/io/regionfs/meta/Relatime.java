package io.regionfs.meta;

/**
 * When a read moves the access time: once per change and once a day. The service keeps to it, and a
 * node foresees by it what the service will do. Source: mount(8), relatime.
 */
public final class Relatime {
  private static final long DAY_NANOS = 86_400_000_000_000L;

  private Relatime() {}

  /** All in nanoseconds since 1970. */
  public static boolean moves(long readAt, long atime, long mtime, long ctime) {
    return readAt > atime && (atime <= mtime || atime <= ctime || readAt - atime >= DAY_NANOS);
  }
}
