package io.regionfs.verbs;

/**
 * A chain of one-sided work requests, carried out in order by {@link Connection#execute}. Made once
 * per thread and used again: it allocates nothing after that. Used by one thread at a time.
 *
 * <p>Addresses are of this process (local) and of the peer's (remote); lengths are bytes.
 */
public interface Batch {
  /** Most work requests in one batch. */
  int MAX_OPERATIONS = 16;

  /** Forgets what was added. */
  void clear();

  int size();

  /** Copies from the peer's memory to this host's. */
  void read(long localAddress, int localKey, long remoteAddress, int remoteKey, int length);

  /** Copies from this host's memory to the peer's. */
  void write(long localAddress, int localKey, long remoteAddress, int remoteKey, int length);

  /**
   * Replaces the 8 bytes at an aligned remote address if they equal {@code expected}; their old
   * value goes to localAddress. All three are numbers in the byte order of the hosts,
   * little-endian. What it is atomic against {@link DeviceLimits#atomics} says of the peer's
   * device.
   *
   * @throws UnsupportedOperationException if this host's device has {@link Atomics#NONE}
   */
  void compareAndSwap(
      long localAddress,
      int localKey,
      long remoteAddress,
      int remoteKey,
      long expected,
      long value);

  /**
   * Adds to the 8 bytes at an aligned remote address; their old value goes to localAddress. As with
   * {@link #compareAndSwap}.
   *
   * @throws UnsupportedOperationException if this host's device has {@link Atomics#NONE}
   */
  void fetchAndAdd(long localAddress, int localKey, long remoteAddress, int remoteKey, long delta);
}
