package io.regionfs.region;

import io.regionfs.posix.Memory;

/** A way to change a word of this host's memory that other hosts read, and perhaps change too. */
@FunctionalInterface
interface WordSwap {
  /** By the processor: right where no device changes the word, or its atomics are global. */
  WordSwap BY_PROCESSOR =
      (address, remoteKey, expected, value) -> Memory.compareAndSwapLong(address, expected, value);

  /**
   * Replaces the word if it is the expected one. Whether it was, a look at the word tells.
   *
   * @throws io.regionfs.model.FsException EIO if the word is as before and cannot be changed
   */
  void swap(long address, int remoteKey, long expected, long value);
}
