package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.fuse.ReplyLayout.XattrSize;
import io.regionfs.fuse.RequestLayout.GetXattr;
import io.regionfs.fuse.RequestLayout.Header;
import io.regionfs.fuse.RequestLayout.SetXattr;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Requests about extended attributes. Source: xattr(7). POSIX ACLs are refused: nobody would
 * enforce what was set, and cp and tar take the refusal as word to use chmod instead.
 */
final class XattrHandlers {
  private static final String ACL_PREFIX = "system.posix_acl_";
  private static final int MAX_BYTES = 64 * 1024;

  private final FileSystem fileSystem;

  XattrHandlers(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  void setxattr(Request in, Reply out) {
    byte[] name = name(in, SetXattr.NAME);
    byte[] value = in.bytes(SetXattr.NAME + name.length + 1, in.int32(SetXattr.SIZE));
    fileSystem.setXattr(in.node(), name, value, in.int32(SetXattr.FLAGS));
    out.send();
  }

  void getxattr(Request in, Reply out) {
    byte[] value = fileSystem.xattr(in.node(), name(in, GetXattr.NAME));
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
    fileSystem.removeXattr(in.node(), name(in, Header.BYTES));
    out.send();
  }

  private static byte[] name(Request in, int at) {
    byte[] name = in.string(at);
    if (new String(name, StandardCharsets.ISO_8859_1).startsWith(ACL_PREFIX)) {
      throw new FsException(Errno.EOPNOTSUPP, "POSIX ACLs");
    }
    return name;
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
