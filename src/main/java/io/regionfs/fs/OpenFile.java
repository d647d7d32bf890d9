package io.regionfs.fs;

import io.regionfs.data.BackingFile;
import io.regionfs.data.ReadSink;
import io.regionfs.data.TransferBuffer;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FsException;
import org.jspecify.annotations.Nullable;

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

  /**
   * To be called before a {@link #write} or {@link #allocate} that a program asked for: privileges
   * that others would get from the file with its new bytes go.
   */
  default void kill(Kill privileges) {}

  /**
   * Fills pages of the kernel's cache, for a mapping: as {@link #read}, and what the pages were is
   * remembered until {@link #writePages}.
   */
  default void readPages(long offset, int length, TransferBuffer staging, ReadSink sink) {
    read(offset, length, staging, sink);
  }

  /**
   * Pages of the kernel's cache come back, changed through a mapping. Only bytes that differ from
   * what {@link #readPages} gave are written, and none beyond the end of the file, which does not
   * grow.
   */
  default void writePages(long offset, TransferBuffer source, int position, int length) {
    write(offset, source, position, length, false);
  }

  /** Whether the kernel may keep, over this open, the pages that it keeps for mappings. */
  default boolean keepsPages() {
    return false;
  }

  /**
   * The file that the kernel may use itself instead of asking this object, or null. All files that
   * are open of one inode at a time give the same.
   */
  default @Nullable BackingFile backing() {
    return null;
  }

  /**
   * flock(2) and fcntl(2): takes, changes or ends a lock, seen by all hosts. EAGAIN if another
   * owner's stands against it and it may not wait, EDEADLK if waiting would never end, EINTR if
   * interrupted, ENOLCK if there are too many.
   *
   * @param wait until it can be had
   */
  default void lock(LockRequest request, boolean wait) {
    throw new FsException(Errno.ENOSYS, "no locks");
  }

  /** A lock of another owner that stands against this one (F_GETLK); null: there is none. */
  default @Nullable LockRequest conflicting(LockRequest request) {
    throw new FsException(Errno.ENOSYS, "no locks");
  }

  /**
   * close(2) of one descriptor: reports, once, what could not be reported before. The POSIX locks
   * of the owner end.
   */
  void flush(long lockOwner);

  /** fsync(2): what was written, and the size, are at the home. */
  void fsync(boolean dataOnly);

  void allocate(FallocateMode mode, long offset, long length);

  /** SEEK_DATA, or with {@code hole} SEEK_HOLE. */
  long seek(long offset, boolean hole);

  /** The last close of this description. May be called twice. */
  @Override
  void close();
}
