package io.regionfs.fuse;

import io.regionfs.data.TransferBuffer;
import io.regionfs.posix.LibC;

/** A transfer buffer of anonymous memory. */
final class MappedBuffer implements TransferBuffer {
  private final long address;
  private final int capacity;
  private final Runnable onClose;

  MappedBuffer(int capacity, Runnable onClose) {
    this.address =
        LibC.INSTANCE.mmap(
            0,
            capacity,
            LibC.PROT_READ | LibC.PROT_WRITE,
            LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS,
            -1,
            0);
    if (address == -1) {
      throw new IllegalStateException("mmap failed, errno " + LibC.errno());
    }
    this.capacity = capacity;
    this.onClose = onClose;
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
    LibC.INSTANCE.munmap(address, capacity);
    onClose.run();
  }
}
