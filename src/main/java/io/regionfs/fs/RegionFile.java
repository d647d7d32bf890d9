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
  private final Exporters exporters;
  private final Exporters.@Nullable Writer writer;

  /**
   * Closes the hold with itself.
   *
   * @param opener the thread that opened it
   */
  RegionFile(
      OpenInodes.Hold hold,
      OpenFlags flags,
      FileLocks locks,
      boolean keepsPages,
      Exporters exporters,
      int opener) {
    this.exporters = exporters;
    this.writer = flags.write() ? exporters.opened(hold.inode().id(), opener) : null;
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
      return;
    }
    try {
      region.read(offset, length, staging, sink);
    } catch (FsException e) {
      throw explained(e);
    }
  }

  @Override
  public void readPages(long offset, int length, TransferBuffer staging, ReadSink sink) {
    Region region = toRead(offset, length);
    if (region == null) {
      sink.accept(staging.address(), 0);
      return;
    }
    try {
      hold.inode().pages().read(region, offset, length, staging, sink);
    } catch (FsException e) {
      throw explained(e);
    }
  }

  /** Null while nobody has written the file: it is empty. */
  private @Nullable Region toRead(long offset, int length) {
    requireReadable();
    Ranges.checkOffset(offset);
    Ranges.checkOffset(length);
    if (flags.marksRead()) {
      hold.inode().markRead();
    }
    return regionIfWritten();
  }

  @Override
  public void write(long offset, TransferBuffer source, int position, int length, boolean append) {
    requireWritable();
    Ranges.checkOffset(append ? 0 : offset);
    Ranges.checkOffset(length);
    if (length == 0) {
      return;
    }
    if (!append) {
      Ranges.checkWrite(offset, length);
    }
    try {
      Region region = hold.inode().region();
      if (append) {
        region.append(source, position, length);
      } else {
        region.write(offset, source, position, length);
      }
    } catch (FsException e) {
      throw explained(e);
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
    if (length == 0) {
      return;
    }
    try {
      hold.inode().pages().write(hold.inode().region(), offset, source, position, length);
    } catch (FsException e) {
      throw explained(e);
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
    Region region = regionIfWritten();
    if (region == null) {
      return;
    }
    try {
      region.stat();
    } catch (FsException e) {
      throw explained(e);
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
    try {
      hold.inode().region().allocate(mode, offset, length);
    } catch (FsException e) {
      throw explained(e);
    }
    if (mode != FallocateMode.ALLOCATE && mode != FallocateMode.ALLOCATE_KEEP_SIZE) {
      hold.inode().pages().zeroedAtHome(offset, offset + length);
    }
  }

  @Override
  public long seek(long offset, boolean hole) {
    Region region = offset < 0 ? null : regionIfWritten();
    if (region == null) {
      throw new FsException(Errno.ENXIO, "seek to " + offset + " beyond the end");
    }
    try {
      return region.seek(offset, hole);
    } catch (FsException e) {
      throw explained(e);
    }
  }

  @Override
  public void close() {
    if (writer != null) {
      exporters.closed(hold.inode().id(), writer);
    }
    try {
      locks.close();
    } finally {
      hold.close();
    }
  }

  private @Nullable Region regionIfWritten() {
    try {
      return hold.inode().regionIfWritten();
    } catch (FsException e) {
      throw explained(e);
    }
  }

  private FsException explained(FsException e) {
    return hold.inode().explained(e, exporters::isEnded);
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
