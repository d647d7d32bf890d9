package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.fuse.ReplyLayout.XattrSize;
import io.regionfs.fuse.RequestLayout.GetXattr;
import io.regionfs.fuse.RequestLayout.Header;
import io.regionfs.fuse.RequestLayout.SetXattr;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import java.io.ByteArrayOutputStream;

/** Requests about extended attributes. Source: xattr(7). */
final class XattrHandlers {
  private static final int MAX_BYTES = 64 * 1024;

  private final FileSystem fileSystem;

  XattrHandlers(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  void setxattr(Request in, Reply out) {
    byte[] name = in.string(SetXattr.NAME);
    byte[] value = in.bytes(SetXattr.NAME + name.length + 1, in.int32(SetXattr.SIZE));
    fileSystem.setXattr(in.node(), name, value, in.int32(SetXattr.FLAGS));
    out.send();
  }

  void getxattr(Request in, Reply out) {
    byte[] value = fileSystem.xattr(in.node(), in.string(GetXattr.NAME));
    send(out, value, in.int32(GetXattr.SIZE));
  }

  void listxattr(Request in, Reply out) {
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    for (byte[] name : fileSystem.xattrNames(in.node())) {
      names.writeBytes(name);
      names.write(0);
    }
    send(out, names.toByteArray(), in.int32(GetXattr.SIZE));
  }

  void removexattr(Request in, Reply out) {
    fileSystem.removeXattr(in.node(), in.string(Header.BYTES));
    out.send();
  }

  /** With room 0 the caller only asks how much it needs. */
  private static void send(Reply out, byte[] value, int room) {
    if (room == 0) {
      out.int64(XattrSize.SIZE, value.length);
      out.send(XattrSize.END);
      return;
    }
    if (value.length > MAX_BYTES) {
      throw new FsException(Errno.E2BIG, value.length + " bytes");
    }
    if (value.length > room) {
      throw new FsException(Errno.ERANGE, value.length + " bytes, room for " + room);
    }
    out.bytes(ReplyLayout.Header.BYTES, value);
    out.send(ReplyLayout.Header.BYTES + value.length);
  }
}
