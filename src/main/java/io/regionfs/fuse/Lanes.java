package io.regionfs.fuse;

/** Where the threads of a {@link WorkerPool} get their lanes from. For many threads. */
interface Lanes {
  /** For the calling thread. */
  Lane open();

  /** Whether a thread that is not needed may end. */
  default boolean mayShrink() {
    return true;
  }

  /** Called once the pool will serve no more: those that wait for a request may be let go. */
  default void stop() {}
}
