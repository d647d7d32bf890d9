package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.fuse.RequestLayout.Header;
import io.regionfs.fuse.RequestLayout.Link;
import io.regionfs.fuse.RequestLayout.Mkdir;
import io.regionfs.fuse.RequestLayout.Mknod;
import io.regionfs.fuse.RequestLayout.Rename;
import io.regionfs.fuse.RequestLayout.Rename2;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;

/** Requests about names in a directory, which is the request's node. */
final class NameHandlers {
  private static final int TYPE_BITS = 0170000;
  private static final int PERMISSION_BITS = 07777;

  private final FileSystem fileSystem;
  private final KernelCaches caches;

  NameHandlers(FileSystem fileSystem, KernelCaches caches) {
    this.fileSystem = fileSystem;
    this.caches = caches;
  }

  /** What is found is kept, and so is that there is nothing. */
  void lookup(Request in, Reply out) {
    InodeId directory = in.node();
    long mark = caches.mark(directory);
    Attributes found;
    try {
      found = fileSystem.lookup(directory, in.name(Header.BYTES));
    } catch (FsException e) {
      if (e.errno() != Errno.ENOENT || !absent(out, directory, mark)) {
        throw e;
      }
      return;
    }
    long now = caches.now();
    AttributeWriter.sendEntry(out, found, caches.keepName(directory, mark));
    caches.sent(directory, now);
  }

  private boolean absent(Reply out, InodeId directory, long mark) {
    long now = caches.now();
    long nanos = caches.keepName(directory, mark);
    if (nanos == 0) {
      return false;
    }
    AttributeWriter.sendAbsent(out, nanos);
    caches.sent(directory, now);
    return true;
  }

  void symlink(Request in, Reply out) {
    Name name = in.name(Header.BYTES);
    byte[] target = in.string(Header.BYTES + name.length() + 1);
    AttributeWriter.sendEntry(out, fileSystem.makeSymlink(in.node(), name, target, in.caller()));
  }

  /** Only regular files; EPERM is mknod(2)'s word for a type that a filesystem does not have. */
  void mknod(Request in, Reply out) {
    int mode = in.int32(Mknod.MODE);
    int type = mode & TYPE_BITS;
    if (type != FileType.FILE.modeBits() && type != 0) {
      throw new FsException(Errno.EPERM, "mknod of type 0" + Integer.toOctalString(type));
    }
    AttributeWriter.sendEntry(
        out,
        fileSystem.makeFile(
            in.node(), in.name(Mknod.NAME), mode & PERMISSION_BITS, in.caller(Mknod.UMASK)));
  }

  void mkdir(Request in, Reply out) {
    int mode = in.int32(Mkdir.MODE) & PERMISSION_BITS;
    AttributeWriter.sendEntry(
        out,
        fileSystem.makeDirectory(in.node(), in.name(Mkdir.NAME), mode, in.caller(Mkdir.UMASK)));
  }

  void link(Request in, Reply out) {
    AttributeWriter.sendEntry(
        out, fileSystem.link(in.inode(Link.INODE), in.node(), in.name(Link.NAME)));
  }

  void unlink(Request in, Reply out) {
    fileSystem.unlink(in.node(), in.name(Header.BYTES));
    out.send();
  }

  void rmdir(Request in, Reply out) {
    fileSystem.rmdir(in.node(), in.name(Header.BYTES));
    out.send();
  }

  void rename(Request in, Reply out) {
    rename(in, out, Rename.NAMES, 0);
  }

  void rename2(Request in, Reply out) {
    rename(in, out, Rename2.NAMES, in.int32(Rename2.FLAGS));
  }

  private void rename(Request in, Reply out, int names, int flags) {
    Name oldName = in.name(names);
    Name newName = in.name(names + oldName.length() + 1);
    fileSystem.rename(in.node(), oldName, in.inode(Rename.NEW_PARENT), newName, flags);
    out.send();
  }
}
