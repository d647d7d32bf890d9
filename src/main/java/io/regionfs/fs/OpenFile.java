package io.regionfs.fs;

import io.regionfs.data.ReadSink;
import io.regionfs.data.TransferBuffer;
import io.regionfs.model.FallocateMode;

/**
 * One open file description of the kernel. Safe for use by many threads; closed by whoever opened
 * it.
 */
public interface OpenFile extends AutoCloseable {
  /** See {@link io.regionfs.data.Region#read}. EBADF if not open for reading. */
  void read(long offset, int length, TransferBuffer staging, ReadSink sink);

  /**
   * Writes all {@code length} bytes that start {@code position} bytes into the buffer; with {@code
   * append} at the end of the file, whatever the offset says. EBADF if not open for writing.
   */
  void write(long offset, TransferBuffer source, int position, int length, boolean append);

  /** close(2) of one descriptor: reports, once, what could not be reported before. */
  void flush();

  /** fsync(2): what was written, and the size, are at the home. */
  void fsync(boolean dataOnly);

  void allocate(FallocateMode mode, long offset, long length);

  /** SEEK_DATA, or with {@code hole} SEEK_HOLE. */
  long seek(long offset, boolean hole);

  /** The last close of this description. May be called twice. */
  @Override
  void close();
}
