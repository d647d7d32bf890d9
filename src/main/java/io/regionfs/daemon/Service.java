package io.regionfs.daemon;

/** What a process serves until it is told to end, or has nothing to serve any more. */
public interface Service extends AutoCloseable {
  /** What the user should know when the start is over; empty: nothing. */
  default String remark() {
    return "";
  }

  /**
   * Returns when there is nothing to serve any more.
   *
   * @throws CommandFailure if it cannot go on
   */
  void awaitEnd() throws InterruptedException;

  /** Gives everything back, whatever state it is in; called once. */
  @Override
  void close();
}
