package io.regionfs.fuse;

import io.regionfs.data.BackingFile;
import io.regionfs.fs.FileSystem;
import io.regionfs.fs.OpenFile;
import io.regionfs.fuse.ReplyLayout.Entry;
import io.regionfs.fuse.RequestLayout.Create;
import io.regionfs.fuse.RequestLayout.Fallocate;
import io.regionfs.fuse.RequestLayout.Flush;
import io.regionfs.fuse.RequestLayout.Fsync;
import io.regionfs.fuse.RequestLayout.Handle;
import io.regionfs.fuse.RequestLayout.Lseek;
import io.regionfs.fuse.RequestLayout.Open;
import io.regionfs.fuse.RequestLayout.Read;
import io.regionfs.fuse.RequestLayout.Write;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FsException;
import org.jspecify.annotations.Nullable;

/** Requests about open files. Owns the files that are open: {@link #close} closes what is left. */
final class FileHandlers implements AutoCloseable {
  private static final int O_EXCL = 0200;
  private static final int O_APPEND = 02000;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int PERMISSION_BITS = 07777;

  /** How a file is open that we serve. */
  private static final int SERVED =
      ReplyLayout.Open.DIRECT_IO | ReplyLayout.Open.PARALLEL_DIRECT_WRITES;

  /** How one is that the kernel serves; with DIRECT_IO only its mappings would be. */
  private static final int PASSED = ReplyLayout.Open.PASSTHROUGH;

  private final FileSystem fileSystem;
  private final PassThrough passThrough;
  private final OpenTable<Opened> files = new OpenTable<>();

  /**
   * @param backing what it passes through to, unless the kernel knows nothing of it
   */
  private record Opened(OpenFile file, @Nullable BackingFile backing) {}

  /** Both borrowed. */
  FileHandlers(FileSystem fileSystem, PassThrough passThrough) {
    this.fileSystem = fileSystem;
    this.passThrough = passThrough;
  }

  void open(Request in, Reply out) {
    boolean kills = (in.int32(Open.OPEN_FLAGS) & Open.KILL_SET_ID) != 0;
    int open = in.int32(Open.FLAGS) & ~FileSystem.OPEN_KILLS;
    int flags = kills ? open | FileSystem.OPEN_KILLS : open;
    OpenFile file = fileSystem.open(in.node(), flags, in.caller());
    sendOpened(out, ReplyLayout.Header.BYTES, file);
  }

  void create(Request in, Reply out) {
    int flags = in.int32(Create.FLAGS);
    FileSystem.Created created = createNew(in, flags);
    AttributeWriter.entry(out, created.attributes());
    sendOpened(out, Entry.END, created.file());
  }

  /**
   * Another host may have made the name since the kernel looked. Without O_EXCL that is no refusal,
   * but the kernel has not checked permissions on what is there now: ESTALE makes it look again.
   */
  private FileSystem.Created createNew(Request in, int flags) {
    try {
      int mode = in.int32(Create.MODE) & PERMISSION_BITS;
      return fileSystem.create(
          in.node(), in.name(Create.NAME), mode, flags, in.caller(Create.UMASK));
    } catch (FsException e) {
      if (e.errno() == Errno.EEXIST && (flags & O_EXCL) == 0) {
        throw new FsException(Errno.ESTALE, "made by another host meanwhile", e);
      }
      throw e;
    }
  }

  private void sendOpened(Reply out, int at, OpenFile file) {
    Opened opened = opened(file);
    int id = opened.backing == null ? PassThrough.NONE : passThrough.acquire(opened.backing);
    long handle = files.add(opened);
    out.int64(at + ReplyLayout.Open.HANDLE, handle);
    out.int32(at + ReplyLayout.Open.FLAGS, id == PassThrough.NONE ? served(file) : PASSED);
    out.int32(at + ReplyLayout.Open.BACKING_ID, id);
    if (!out.send(at + ReplyLayout.Open.BYTES)) {
      close(files.remove(handle)); // the kernel knows no handle, so it will not release it
    }
  }

  private static int served(OpenFile file) {
    return file.keepsPages() ? SERVED | ReplyLayout.Open.KEEP_CACHE : SERVED;
  }

  private static Opened opened(OpenFile file) {
    try {
      return new Opened(file, file.backing());
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private void close(Opened opened) {
    if (opened.backing != null) {
      passThrough.release(opened.backing);
    }
    opened.file.close();
  }

  /** The open file that the request names. */
  OpenFile file(Request in) {
    return files.get(in.int64(Handle.HANDLE)).file;
  }

  void read(Request in, Reply out) {
    OpenFile file = file(in);
    int length = in.int32(Read.SIZE);
    if (length < 0 || length > FuseLimits.MAX_TRANSFER_BYTES) {
      throw new FsException(Errno.EINVAL, "read of " + length + " bytes");
    }
    long offset = in.offset(Read.OFFSET);
    if ((in.int32(Read.READ_FLAGS) & Read.HAS_LOCK_OWNER) != 0) {
      file.read(offset, length, out.staging(), out);
    } else {
      file.readPages(offset, length, out.staging(), out);
    }
  }

  void write(Request in, Reply out) {
    OpenFile file = file(in);
    int length = in.int32(Write.SIZE);
    in.check(Write.DATA, length);
    long offset = in.offset(Write.OFFSET);
    checkEnd(offset, length);
    int flags = in.int32(Write.WRITE_FLAGS);
    if ((flags & Write.FROM_CACHE) != 0) {
      // Pages go to where they are mapped from, however the file was opened.
      file.writePages(offset, in.buffer(), in.inBuffer(Write.DATA), length);
    } else {
      file.kill((flags & Write.KILL_SET_ID) != 0 ? Kill.ALL : Kill.CAPABILITY);
      boolean append = (in.int32(Write.OPEN_FLAGS) & O_APPEND) != 0;
      file.write(offset, in.buffer(), in.inBuffer(Write.DATA), length, append);
    }
    out.int64(ReplyLayout.Write.SIZE, length);
    out.send(ReplyLayout.Write.END);
  }

  private static void checkEnd(long offset, long length) {
    if (offset > Long.MAX_VALUE - length) {
      throw new FsException(Errno.EFBIG, "range ends beyond 2^63");
    }
  }

  void flush(Request in, Reply out) {
    file(in).flush(in.int64(Flush.LOCK_OWNER));
    out.send();
  }

  void fsync(Request in, Reply out) {
    boolean dataOnly = (in.int32(Fsync.FLAGS) & Fsync.DATA_ONLY) != 0;
    file(in).fsync(dataOnly);
    out.send();
  }

  void release(Request in, Reply out) {
    close(files.remove(in.int64(Handle.HANDLE)));
    out.send();
  }

  void fallocate(Request in, Reply out) {
    OpenFile file = file(in);
    FallocateMode mode = mode(in.int32(Fallocate.MODE));
    long offset = in.offset(Fallocate.OFFSET);
    long length = in.offset(Fallocate.LENGTH);
    checkEnd(offset, length);
    // The request does not say what its caller may keep; only root keeps set-id bits.
    file.kill(in.caller().uid() == 0 ? Kill.CAPABILITY : Kill.ALL);
    file.allocate(mode, offset, length);
    out.send();
  }

  /** Source: linux/falloc.h. */
  private static FallocateMode mode(int bits) {
    return switch (bits) {
      case 0 -> FallocateMode.ALLOCATE;
      case 0x01 -> FallocateMode.ALLOCATE_KEEP_SIZE;
      case 0x03 -> FallocateMode.PUNCH_HOLE;
      case 0x10 -> FallocateMode.ZERO_RANGE;
      case 0x11 -> FallocateMode.ZERO_RANGE_KEEP_SIZE;
      default -> throw new FsException(Errno.EOPNOTSUPP, "fallocate mode " + bits);
    };
  }

  void lseek(Request in, Reply out) {
    OpenFile file = file(in);
    int whence = in.int32(Lseek.WHENCE);
    if (whence != SEEK_DATA && whence != SEEK_HOLE) {
      throw new FsException(Errno.EINVAL, "lseek whence " + whence);
    }
    out.int64(ReplyLayout.Lseek.OFFSET, file.seek(in.offset(Lseek.OFFSET), whence == SEEK_HOLE));
    out.send(ReplyLayout.Lseek.END);
  }

  /** Closes what the kernel has not released, when the mount is gone. */
  @Override
  public void close() {
    files.removeAll().forEach(this::close);
  }
}
