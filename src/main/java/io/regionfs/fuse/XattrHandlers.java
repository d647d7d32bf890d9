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
 * Requests about extended attributes, to which POSIX ACLs belong. Those the kernel checks itself,
 * and keeps. Source: xattr(7), fs/fuse/acl.c in Linux.
 */
final class XattrHandlers {
  private static final String ACL_PREFIX = "system.posix_acl_";
  private static final int MAX_BYTES = 64 * 1024;

  private static final int KNOWN_FLAGS = 3; // XATTR_CREATE, XATTR_REPLACE

  private final FileSystem fileSystem;
  private final KernelCaches caches;

  XattrHandlers(FileSystem fileSystem, KernelCaches caches) {
    this.fileSystem = fileSystem;
    this.caches = caches;
  }

  void setxattr(Request in, Reply out) {
    boolean extended = isExtended(in);
    int nameAt = extended ? SetXattr.NAME : SetXattr.SHORT_NAME;
    byte[] name = in.string(nameAt);
    byte[] value = in.bytes(nameAt + name.length + 1, in.int32(SetXattr.SIZE));
    int flags = in.int32(SetXattr.FLAGS);
    if ((flags & ~KNOWN_FLAGS) != 0) {
      throw new FsException(Errno.EINVAL, "setxattr flags " + flags);
    }
    if (extended && isAcl(name) && hasKillSetgid(in)) {
      flags |= FileSystem.ACL_KILL_SETGID;
    }
    fileSystem.setXattr(in.node(), name, value, flags, in.caller());
    out.send();
  }

  /**
   * Whether the kernel took SETXATTR_EXT. Only without it the request ends where the struct that is
   * shorter says: with it what stands in place of a name is an empty one, or one of a single byte,
   * so that the end is expected at least 7 bytes too early.
   */
  private static boolean isExtended(Request in) {
    int name = in.string(SetXattr.SHORT_NAME).length;
    return SetXattr.SHORT_NAME + name + 1 + in.int32(SetXattr.SIZE) != in.length();
  }

  private static boolean hasKillSetgid(Request in) {
    return (in.int32(SetXattr.EXTRA_FLAGS) & SetXattr.ACL_KILL_SETGID) != 0;
  }

  private static boolean isAcl(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1).startsWith(ACL_PREFIX);
  }

  void getxattr(Request in, Reply out) {
    byte[] name = in.string(GetXattr.NAME);
    if (isAcl(name)) {
      caches.willKeepAcls(in.node()); // be there a list or not
    }
    send(out, fileSystem.xattr(in.node(), name), in.int32(GetXattr.SIZE));
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
