package io.regionfs.region;

import io.regionfs.data.TransferBuffer;
import io.regionfs.posix.Memory;

/** A transfer buffer that no device knows. */
final class HeapBuffer implements TransferBuffer {
  private final int capacity;
  private long address;

  HeapBuffer(int capacity) {
    this.capacity = capacity;
    this.address = Memory.allocate(capacity);
  }

  @Override
  public long address() {
    return address;
  }

  @Override
  public int capacity() {
    return capacity;
  }

  @Override
  public void close() {
    if (address != 0) {
      Memory.free(address);
      address = 0;
    }
  }
}
