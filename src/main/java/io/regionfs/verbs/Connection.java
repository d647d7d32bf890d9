package io.regionfs.verbs;

import java.time.Duration;

/**
 * A reliable connection for one-sided operations on a peer's registered memory. Safe for use by
 * many threads.
 */
public interface Connection extends AutoCloseable {
  /** A batch for {@link #execute} on any connection of the same fabric. */
  Batch newBatch();

  /**
   * Carries the batch out, and waits until all of it is complete. Within a batch the operations
   * take effect in order; batches of different threads may interleave. When it returns normally,
   * what was written is in the peer's memory.
   *
   * <p>After an exception the connection is closed and any prefix may have taken effect. This
   * host's memory is not touched any more. What was sent but not answered may still reach the
   * peer's memory: until the peer notices the end (at once if it hears of it, else when the pulse
   * has stood still for 8 s), or until the next {@link Fabric#connect} of this fabric to that peer
   * returns, whichever is first. So what is repeated over a new connection is never overtaken by
   * what the old one sent.
   *
   * @throws InterruptedException if interrupted while waiting; as after any exception the
   *     connection is closed
   */
  void execute(Batch batch, Duration deadline) throws TransferException, InterruptedException;

  boolean isOpen();

  /** Ends the connection; transfers in flight fail. May be called twice. */
  @Override
  void close();
}
