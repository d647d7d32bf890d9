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
   * take effect in order; batches of different threads may interleave. After an exception any
   * prefix may have taken effect, the connection is closed, and no byte of the batch moves any
   * more.
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
