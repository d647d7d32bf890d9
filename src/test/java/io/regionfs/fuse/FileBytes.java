package io.regionfs.fuse;

import io.regionfs.data.ReadSink;
import io.regionfs.model.FallocateMode;
import java.time.Instant;

/** The bytes of one file of {@link MemoryFileSystem}. Safe for use by many threads. */
interface FileBytes {
  long size();

  long allocatedBytes();

  /** When they last changed. */
  Instant changed();

  void read(long offset, int length, long staging, ReadSink sink);

  void write(long offset, long source, int length, boolean append);

  void truncate(long newSize);

  void allocate(FallocateMode mode, long offset, long length);

  long seek(long offset, boolean hole);

  /** Gives all memory back. */
  void free();
}
