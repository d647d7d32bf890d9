package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.fs.OpenDirectory;
import io.regionfs.fuse.ReplyLayout.Dirent;
import io.regionfs.fuse.ReplyLayout.Open;
import io.regionfs.fuse.RequestLayout.Handle;
import io.regionfs.fuse.RequestLayout.Read;
import io.regionfs.model.FileType;
import io.regionfs.model.InodeId;

/** Requests about open directories. Owns them: {@link #close} closes what is left. */
final class DirectoryHandlers implements AutoCloseable {
  private final FileSystem fileSystem;
  private final OpenTable<OpenDirectory> directories = new OpenTable<>();

  DirectoryHandlers(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  void opendir(Request in, Reply out) {
    int at = ReplyLayout.Header.BYTES;
    long handle = directories.add(fileSystem.openDirectory(in.node()));
    out.int64(at + Open.HANDLE, handle);
    out.int64(at + Open.FLAGS, 0);
    if (!out.send(at + Open.BYTES)) {
      directories.remove(handle).close();
    }
  }

  void readdir(Request in, Reply out) {
    OpenDirectory directory = directories.get(in.int64(Handle.HANDLE));
    int size = in.int32(Read.SIZE);
    Entries entries = new Entries(out, size < 0 ? Integer.MAX_VALUE : size);
    directory.list(in.int64(Read.OFFSET), entries);
    out.send(entries.end);
  }

  void releasedir(Request in, Reply out) {
    directories.remove(in.int64(Handle.HANDLE)).close();
    out.send();
  }

  void fsyncdir(Request in, Reply out) {
    directories.get(in.int64(Handle.HANDLE));
    out.send(); // every change of a directory is at the metadata service when it returns
  }

  /** Packs entries into the reply until the room that the kernel gave is full. */
  private static final class Entries implements OpenDirectory.Receiver {
    private final Reply out;
    private final int limit;
    private int end = ReplyLayout.Header.BYTES;

    Entries(Reply out, int size) {
      this.out = out;
      this.limit = Math.min(size, Reply.CAPACITY - ReplyLayout.Header.BYTES) + end;
    }

    @Override
    public boolean entry(byte[] name, InodeId inode, FileType type, long cookie) {
      int bytes = (Dirent.NAME + name.length + 7) & ~7;
      if (bytes > limit - end) {
        return false;
      }
      out.int64(end + bytes - 8, 0); // the padding
      out.int64(end + Dirent.INODE, inode.value());
      out.int64(end + Dirent.COOKIE, cookie);
      out.int32(end + Dirent.NAME_LENGTH, name.length);
      out.int32(end + Dirent.TYPE, type.modeBits() >> 12);
      out.bytes(end + Dirent.NAME, name);
      end += bytes;
      return true;
    }
  }

  /** Closes what the kernel has not released, when the mount is gone. */
  @Override
  public void close() {
    directories.removeAll().forEach(OpenDirectory::close);
  }
}
