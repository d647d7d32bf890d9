package io.regionfs.fuse;

import io.regionfs.data.ReadSink;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FsException;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.time.Instant;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/** The bytes of one file: anonymous memory in chunks of 1 MiB, made when first written. */
final class MemoryFile implements FileBytes {
  static final int CHUNK_BYTES = 1 << 20;
  static final int PAGE_BYTES = 4096;
  private static final int PAGES = CHUNK_BYTES / PAGE_BYTES;
  private static final int MADV_DONTNEED = 4;

  /** Which pages of a chunk hold memory stands in a bit set. */
  private record Chunk(long address, BitSet pages) {}

  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private final TreeMap<Long, Chunk> chunks = new TreeMap<>();
  private long size;
  private long allocatedPages;
  private Instant changed = Instant.now();

  @Override
  public long size() {
    return locked(false, () -> size);
  }

  @Override
  public long allocatedBytes() {
    return locked(false, () -> allocatedPages * PAGE_BYTES);
  }

  @Override
  public Instant changed() {
    return locked(false, () -> changed);
  }

  private <T> T locked(boolean exclusive, Supplier<T> work) {
    var one = exclusive ? lock.writeLock() : lock.readLock();
    one.lock();
    try {
      return work.get();
    } finally {
      one.unlock();
    }
  }

  /** Straight from the chunk if the range lies in one, else assembled in the staging memory. */
  @Override
  public void read(long offset, int length, long staging, ReadSink sink) {
    lock.readLock().lock();
    try {
      int bytes = (int) Math.max(0, Math.min(length, size - offset));
      Chunk first = chunks.get(offset / CHUNK_BYTES);
      int inChunk = (int) (offset % CHUNK_BYTES);
      if (bytes > 0 && first != null && inChunk + bytes <= CHUNK_BYTES) {
        sink.accept(first.address + inChunk, bytes);
        return;
      }
      int done = 0;
      while (done < bytes) {
        long at = offset + done;
        int from = (int) (at % CHUNK_BYTES);
        int part = Math.min(bytes - done, CHUNK_BYTES - from);
        Chunk chunk = chunks.get(at / CHUNK_BYTES);
        if (chunk == null) {
          Memory.fill(staging + done, part, (byte) 0);
        } else {
          Memory.copy(chunk.address + from, staging + done, part);
        }
        done += part;
      }
      sink.accept(staging, bytes);
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void write(long offset, long source, int length, boolean append) {
    lock.writeLock().lock();
    try {
      long start = append ? size : offset;
      int done = 0;
      while (done < length) {
        int from = (int) ((start + done) % CHUNK_BYTES);
        int part = Math.min(length - done, CHUNK_BYTES - from);
        Chunk chunk = touch(start + done, part);
        Memory.copy(source + done, chunk.address + from, part);
        done += part;
      }
      size = Math.max(size, start + length);
      changed = Instant.now();
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** The chunk of this offset, with the pages of the range marked as held. */
  private Chunk touch(long offset, int length) {
    Chunk chunk = chunks.computeIfAbsent(offset / CHUNK_BYTES, i -> newChunk());
    int from = (int) (offset % CHUNK_BYTES);
    int firstPage = from / PAGE_BYTES;
    int endPage = (from + length + PAGE_BYTES - 1) / PAGE_BYTES;
    allocatedPages += endPage - firstPage - chunk.pages.get(firstPage, endPage).cardinality();
    chunk.pages.set(firstPage, endPage);
    return chunk;
  }

  private static Chunk newChunk() {
    long address =
        LibC.INSTANCE.mmap(
            0,
            CHUNK_BYTES,
            LibC.PROT_READ | LibC.PROT_WRITE,
            LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS,
            -1,
            0);
    if (address == -1) {
      throw new FsException(Errno.ENOSPC, "mmap failed, errno " + LibC.errno());
    }
    return new Chunk(address, new BitSet(PAGES));
  }

  @Override
  public void truncate(long newSize) {
    locked(
        true,
        () -> {
          if (newSize < size) {
            clear(newSize, size);
          }
          size = newSize;
          changed = Instant.now();
          return null;
        });
  }

  /** Zeros; whole pages are given back. */
  private void clear(long from, long to) {
    var range = chunks.subMap(from / CHUNK_BYTES, to / CHUNK_BYTES + 1);
    for (Map.Entry<Long, Chunk> entry : new TreeMap<>(range).entrySet()) {
      long index = entry.getKey();
      Chunk chunk = entry.getValue();
      long base = index * CHUNK_BYTES;
      int start = (int) Math.max(0, from - base);
      int end = (int) Math.min(CHUNK_BYTES, to - base);
      if (start >= end) {
        continue;
      }
      if (start == 0 && end == CHUNK_BYTES) {
        allocatedPages -= chunk.pages.cardinality();
        LibC.INSTANCE.munmap(chunk.address, CHUNK_BYTES);
        chunks.remove(index);
        continue;
      }
      Memory.fill(chunk.address + start, end - start, (byte) 0);
      int firstPage = (start + PAGE_BYTES - 1) / PAGE_BYTES;
      int endPage = base + end >= size ? (end + PAGE_BYTES - 1) / PAGE_BYTES : end / PAGE_BYTES;
      if (firstPage < endPage) {
        allocatedPages -= chunk.pages.get(firstPage, endPage).cardinality();
        chunk.pages.clear(firstPage, endPage);
        LibC.INSTANCE.madvise(
            chunk.address + (long) firstPage * PAGE_BYTES,
            (long) (endPage - firstPage) * PAGE_BYTES,
            MADV_DONTNEED);
      }
    }
  }

  @Override
  public void allocate(FallocateMode mode, long offset, long length) {
    locked(
        true,
        () -> {
          long end = offset + length;
          if (mode != FallocateMode.ALLOCATE && mode != FallocateMode.ALLOCATE_KEEP_SIZE) {
            clear(offset, end);
          }
          if (mode != FallocateMode.PUNCH_HOLE) {
            for (long at = offset; at < end; at += CHUNK_BYTES - at % CHUNK_BYTES) {
              touch(at, (int) Math.min(end - at, CHUNK_BYTES - at % CHUNK_BYTES));
            }
          }
          if (mode == FallocateMode.ALLOCATE || mode == FallocateMode.ZERO_RANGE) {
            size = Math.max(size, end);
          }
          changed = Instant.now();
          return null;
        });
  }

  @Override
  public long seek(long offset, boolean hole) {
    return locked(
        false,
        () -> {
          if (offset < 0 || offset >= size) {
            throw new FsException(Errno.ENXIO, "seek to " + offset + " of " + size);
          }
          long at = offset;
          while (at < size && held(at) == hole) {
            at += PAGE_BYTES - at % PAGE_BYTES;
          }
          if (at >= size && !hole) {
            throw new FsException(Errno.ENXIO, "no data after " + offset);
          }
          return Math.min(at, size);
        });
  }

  private boolean held(long offset) {
    Chunk chunk = chunks.get(offset / CHUNK_BYTES);
    return chunk != null && chunk.pages.get((int) (offset % CHUNK_BYTES) / PAGE_BYTES);
  }

  @Override
  public void free() {
    locked(
        true,
        () -> {
          chunks.values().forEach(c -> LibC.INSTANCE.munmap(c.address, CHUNK_BYTES));
          chunks.clear();
          allocatedPages = 0;
          size = 0;
          return null;
        });
  }
}
