package io.regionfs.region;

import io.regionfs.posix.Memory;

/**
 * Bytes to be written that lie in memory.
 *
 * @param addressOrZero where they start
 */
record MemorySource(long addressOrZero) implements MemoryBytes.Source {
  @Override
  public void copy(long done, long target, long length) {
    Memory.copy(addressOrZero + done, target, length);
  }
}
