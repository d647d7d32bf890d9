package io.regionfs.fs;

/**
 * A lock on bytes of a file, held or asked for: flock(2), which covers all of it, or fcntl(2).
 *
 * @param owner who holds it, by the kernel's number: a table of open files (POSIX locks) or an open
 *     file description (flock, OFD locks)
 * @param flock of flock(2); the two kinds do not see each other
 * @param first first byte
 * @param last last byte; Long.MAX_VALUE is the end of any file
 * @param pid of who asks, for people and F_GETLK
 */
public record LockRequest(long owner, boolean flock, Kind kind, long first, long last, int pid) {
  /** What is asked for. */
  public enum Kind {
    SHARED,
    EXCLUSIVE,
    UNLOCK
  }
}
