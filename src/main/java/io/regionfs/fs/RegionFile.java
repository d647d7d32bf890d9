package io.regionfs.fs;

import io.regionfs.data.BackingFile;
import io.regionfs.data.Ranges;
import io.regionfs.data.ReadSink;
import io.regionfs.data.Region;
import io.regionfs.data.TransferBuffer;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FsException;
import org.jspecify.annotations.Nullable;

/**
 * An open file whose bytes are a region. Nothing is held back: a write that returned is at the
 * home, so flush and fsync only make sure that the home still has it.
 */
final class RegionFile implements OpenFile {
  private final OpenInodes.Hold hold;
  private final OpenFlags flags;
  private final FileLocks locks;
  private final boolean keepsPages;

  /** Closes the hold with itself. */
  RegionFile(OpenInodes.Hold hold, OpenFlags flags, FileLocks locks, boolean keepsPages) {
    this.hold = hold;
    this.flags = flags;
    this.locks = locks;
    this.keepsPages = keepsPages;
  }

  @Override
  public void read(long offset, int length, TransferBuffer staging, ReadSink sink) {
    Region region = toRead(offset, length);
    if (region == null) {
      sink.accept(staging.address(), 0);
    } else {
      region.read(offset, length, staging, sink);
    }
  }

  @Override
  public void readPages(long offset, int length, TransferBuffer staging, ReadSink sink) {
    Region region = toRead(offset, length);
    if (region == null) {
      sink.accept(staging.address(), 0);
    } else {
      hold.inode().pages().read(region, offset, length, staging, sink);
    }
  }

  /** Null while nobody has written the file: it is empty. */
  private @Nullable Region toRead(long offset, int length) {
    requireReadable();
    Ranges.checkOffset(offset);
    Ranges.checkOffset(length);
    Region region = hold.inode().regionIfWritten();
    if (flags.marksRead()) {
      hold.inode().markRead();
    }
    return region;
  }

  @Override
  public void write(long offset, TransferBuffer source, int position, int length, boolean append) {
    requireWritable();
    Ranges.checkOffset(append ? 0 : offset);
    Ranges.checkOffset(length);
    if (length == 0) {
      return;
    }
    Region region = hold.inode().region();
    if (append) {
      region.append(source, position, length);
    } else {
      Ranges.checkWrite(offset, length);
      region.write(offset, source, position, length);
    }
  }

  @Override
  public void kill(Kill privileges) {
    if (flags.write()) {
      hold.inode().kill(privileges);
    }
  }

  @Override
  public void writePages(long offset, TransferBuffer source, int position, int length) {
    requireWritable();
    Ranges.checkWrite(offset, length);
    if (length > 0) {
      hold.inode().pages().write(hold.inode().region(), offset, source, position, length);
    }
  }

  @Override
  public boolean keepsPages() {
    return keepsPages;
  }

  @Override
  public void lock(LockRequest request, boolean wait) {
    locks.lock(request, wait, backing() == null);
  }

  @Override
  public @Nullable LockRequest conflicting(LockRequest request) {
    return locks.conflicting(request);
  }

  @Override
  public @Nullable BackingFile backing() {
    return hold.inode().backing();
  }

  @Override
  public void flush(long lockOwner) {
    locks.flush(lockOwner);
    if (flags.write()) {
      hold.inode().requireUsable();
    }
  }

  @Override
  public void fsync(boolean dataOnly) {
    locks.requireKept();
    Region region = hold.inode().regionIfWritten();
    if (region != null) {
      region.stat();
    }
  }

  @Override
  public void allocate(FallocateMode mode, long offset, long length) {
    requireWritable();
    Ranges.checkOffset(offset);
    Ranges.checkOffset(length);
    if (length == 0) {
      throw new FsException(Errno.EINVAL, "fallocate of nothing");
    }
    Ranges.checkWrite(offset, length);
    hold.inode().region().allocate(mode, offset, length);
    if (mode != FallocateMode.ALLOCATE && mode != FallocateMode.ALLOCATE_KEEP_SIZE) {
      hold.inode().pages().zeroed(offset, offset + length);
    }
  }

  @Override
  public long seek(long offset, boolean hole) {
    Region region = offset < 0 ? null : hold.inode().regionIfWritten();
    if (region == null) {
      throw new FsException(Errno.ENXIO, "seek to " + offset + " beyond the end");
    }
    return region.seek(offset, hole);
  }

  @Override
  public void close() {
    try {
      locks.close();
    } finally {
      hold.close();
    }
  }

  private void requireReadable() {
    locks.requireKept();
    if (!flags.read()) {
      throw new FsException(Errno.EBADF, "not open for reading");
    }
  }

  private void requireWritable() {
    locks.requireKept();
    if (!flags.write()) {
      throw new FsException(Errno.EBADF, "not open for writing");
    }
  }
}
