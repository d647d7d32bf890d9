package io.regionfs.data;

import io.regionfs.model.FallocateMode;
import io.regionfs.model.RegionStat;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of one open file, wherever their home is. Safe for use by many threads. Failures are
 * {@link io.regionfs.model.FsException}: ENOSPC when the home's memory is full, EIO when the home
 * is gone or has lost the region, EINTR when interrupted while waiting, EFBIG beyond {@link
 * #MAX_SIZE}, EINVAL for a negative offset.
 */
public interface Region extends AutoCloseable {
  /** Largest size in bytes, exclusive. */
  long MAX_SIZE = 1L << 47;

  /** Reads up to {@code length} bytes, fewer only at the end of the file; holes are zeros. */
  void read(long offset, int length, TransferBuffer staging, ReadSink sink);

  /**
   * Writes {@code length} bytes that start {@code position} bytes into the buffer. The size grows
   * after the data is there; mtime and ctime become now: where the clock of who sets them is behind
   * the last ctime they are a little later than that, so that no clock makes times run backwards.
   */
  void write(long offset, TransferBuffer source, int position, int length);

  /**
   * Writes some bytes of pages, each run where it belongs; nothing else is touched, nothing beyond
   * the end of the file, and the size stays. mtime and ctime become now.
   *
   * @param offset where in the file the pages begin
   * @param position where in the buffer they begin
   * @param runs at least one
   */
  void overwrite(long offset, TransferBuffer source, int position, PageRuns runs);

  /**
   * Writes at the end, as one step against every other append and size change of any host; returns
   * where.
   */
  long append(TransferBuffer source, int position, int length);

  RegionStat stat();

  /**
   * As {@link #stat}, after memory that was taken ahead of writing has been given back: for the end
   * of a write session.
   */
  default RegionStat settled() {
    return stat();
  }

  /** Grows with a hole, or shrinks and frees memory. */
  void truncate(long size);

  void allocate(FallocateMode mode, long offset, long length);

  /** Sets mtime as given; ctime becomes now. */
  void setModified(Instant mtime);

  /**
   * Times that this host writes from now on are later than this, whatever its clock says. Costs no
   * call.
   */
  void noEarlierThan(Instant time);

  /** lseek(2) with SEEK_DATA, or with {@code hole} SEEK_HOLE. ENXIO at or beyond the end. */
  long seek(long offset, boolean hole);

  /**
   * Lets the kernel use the memory itself, if the home is this host and that can be had; else null.
   * One at a time; the caller closes it.
   */
  default @Nullable BackingFile passThrough() {
    return null;
  }

  /**
   * Whether processes of the home use the memory themselves just now, so that {@link #stat} need
   * not show what they store. As of the last operation.
   */
  default boolean isUsedUnseen() {
    return false;
  }

  /** Lets go of what this host holds for the region (keys, mappings), not of the region. */
  @Override
  void close();
}
