package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Metadata;
import io.regionfs.model.Errno;
import io.regionfs.proto.Create;
import io.regionfs.proto.FileType;
import io.regionfs.proto.RemoveXattr;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SetAttributes;
import io.regionfs.proto.SetXattr;
import org.jspecify.annotations.Nullable;

/**
 * Changes of one inode's attributes. ACLs are extended attributes here, with rules: an access list
 * and the mode always say the same, and one that says no more than a mode is not kept.
 */
final class InodeCommands {
  private static final int SET_GROUP_ID = 02000;
  private static final int PERMISSIONS = 0777;

  private final Inodes inodes;

  InodeCommands(Inodes inodes) {
    this.inodes = inodes;
  }

  Reply setAttributes(SetAttributes change, long now) {
    Inode inode = inodes.get(change.getInode());
    inodes.touch(inode);
    inode.change(change, now);
    if (change.getKillCapability() && inode.hasCapability()) {
      drop(inode, Inode.CAPABILITY);
    }
    if (change.hasMode()) {
      inodes.mayHaveGivenPrivileges(inode);
    }
    ByteString acl = xattrs(inode).get(Acl.ACCESS);
    if (change.hasMode() && acl != null) {
      put(inode, Acl.ACCESS, Acl.parse(acl).withMode(inode.mode()).value());
    }
    return Replies.attributes(inode);
  }

  private static Xattrs xattrs(Inode inode) {
    return inode.xattrs == null ? Xattrs.NONE : inode.xattrs;
  }

  private void put(Inode inode, ByteString name, ByteString value) {
    inodes.setXattrs(inode, xattrs(inode).with(name, inodes.shared(value), 0));
  }

  Reply setXattr(SetXattr set, long now) {
    Inode inode = inodes.get(set.getInode());
    if (Acl.isName(set.getName())) {
      return setAcl(inode, set, now);
    }
    ByteString name = inodes.shared(set.getName());
    ByteString value = inodes.shared(set.getValue());
    inodes.setXattrs(inode, xattrs(inode).with(name, value, set.getFlags()));
    inode.changed(now);
    inodes.mayHaveGivenPrivileges(inode);
    return Replies.DONE;
  }

  private Reply setAcl(Inode inode, SetXattr set, long now) {
    checkHasAcl(inode);
    Acl acl = Acl.parse(set.getValue());
    if (set.getName().equals(Acl.DEFAULT)) {
      if (!inode.isDirectory()) {
        throw new Refusal(Errno.EACCES, "a default ACL for what is no directory");
      }
      put(inode, Acl.DEFAULT, acl.value());
    } else {
      if (acl.isMode()) {
        drop(inode, Acl.ACCESS);
      } else {
        put(inode, Acl.ACCESS, acl.value());
      }
      int mode = acl.mode(inode.mode());
      boolean clears = (set.getFlags() & Metadata.ACL_KILL_SETGID) != 0;
      inode.setMode(clears ? mode & ~SET_GROUP_ID : mode);
    }
    inode.changed(now);
    return Replies.DONE;
  }

  private static void checkHasAcl(Inode inode) {
    if (inode.type() == FileType.FILE_TYPE_SYMLINK) {
      throw new Refusal(Errno.EOPNOTSUPP, "an ACL for a symlink");
    }
  }

  /** Whether or not the inode has this attribute; to be followed by a change of the inode. */
  private void drop(Inode inode, ByteString name) {
    inodes.touch(inode);
    if (xattrs(inode).get(name) != null) {
      inodes.setXattrs(inode, xattrs(inode).without(name));
    }
  }

  /** Like Linux, removing an ACL that is not there is no error; the mode stays. */
  Reply removeXattr(RemoveXattr remove, long now) {
    Inode inode = inodes.get(remove.getInode());
    if (Acl.isName(remove.getName())) {
      checkHasAcl(inode);
      drop(inode, remove.getName());
    } else {
      inodes.setXattrs(inode, xattrs(inode).without(remove.getName()));
    }
    inode.changed(now);
    return Replies.DONE;
  }

  /** The list that all that is made in this directory gets, or null. */
  private static @Nullable ByteString inherited(Directory parent, Create create) {
    return create.getType() == FileType.FILE_TYPE_SYMLINK ? null : xattrs(parent).get(Acl.DEFAULT);
  }

  /** The mode of a new inode: the umask counts only where no default ACL does. */
  static int modeOfNew(Directory parent, Create create) {
    ByteString inherited = inherited(parent, create);
    int mode = create.getMode();
    return inherited == null
        ? mode & ~(create.getUmask() & PERMISSIONS)
        : Acl.parse(inherited).forNew(mode).mode(mode);
  }

  /** To be called when the inode was made. */
  void inherit(Directory parent, Create create, Inode made) {
    ByteString inherited = inherited(parent, create);
    if (inherited == null) {
      return;
    }
    Acl acl = Acl.parse(inherited).forNew(create.getMode());
    if (!acl.isMode()) {
      put(made, Acl.ACCESS, acl.value());
    }
    if (made.isDirectory()) {
      put(made, Acl.DEFAULT, inherited);
    }
  }
}
