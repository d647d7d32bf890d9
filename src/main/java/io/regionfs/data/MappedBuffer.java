package io.regionfs.data;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.posix.LibC;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.RegisteredMemory;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Anonymous memory, mapped when made and taken from the system when first touched; registered as
 * the local end of transfers.
 */
public final class MappedBuffer implements TransferBuffer {
  private static final int PAGE_BYTES = 4096;

  private final long address;
  private final long mappedBytes;
  private final int capacity;
  private final RegisteredMemory memory;
  private final AtomicBoolean closed = new AtomicBoolean();

  private MappedBuffer(long address, long mappedBytes, int capacity, RegisteredMemory memory) {
    this.address = address;
    this.mappedBytes = mappedBytes;
    this.capacity = capacity;
    this.memory = memory;
  }

  /** ENOMEM if there is no memory, or the device cannot register it. */
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // the memory closes with the buffer
  public static MappedBuffer make(Fabric fabric, int bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("buffer of " + bytes + " bytes");
    }
    long mapped = ((long) bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    long address =
        LibC.INSTANCE.mmap(
            0,
            mapped,
            LibC.PROT_READ | LibC.PROT_WRITE,
            LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | LibC.MAP_NORESERVE,
            -1,
            0);
    if (address == -1) {
      throw new FsException(Errno.ENOMEM, "cannot map " + mapped + " bytes");
    }
    try {
      return new MappedBuffer(
          address, mapped, bytes, fabric.register(address, mapped, Access.LOCAL));
    } catch (IOException e) {
      LibC.INSTANCE.munmap(address, mapped);
      throw new FsException(Errno.ENOMEM, String.valueOf(e.getMessage()), e);
    }
  }

  /** Buffers of regions are made by {@link Regions#newBuffer}; others cannot be transferred. */
  static MappedBuffer of(TransferBuffer buffer) {
    if (buffer instanceof MappedBuffer mapped) {
      return mapped;
    }
    throw new IllegalArgumentException("not a registered buffer: " + buffer.getClass());
  }

  @Override
  public long address() {
    return address;
  }

  @Override
  public int capacity() {
    return capacity;
  }

  /** Names it in work requests of the fabric it was made with. */
  public int key() {
    return memory.localKey();
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      memory.close();
      LibC.INSTANCE.munmap(address, mappedBytes);
    }
  }
}
