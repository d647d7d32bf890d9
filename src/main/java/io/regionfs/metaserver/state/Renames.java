package io.regionfs.metaserver.state;

import io.regionfs.model.Errno;
import io.regionfs.proto.Rename;
import io.regionfs.proto.Reply;

/** rename(2) and renameat2(2) with RENAME_NOREPLACE and RENAME_EXCHANGE. */
final class Renames {
  private static final int NOREPLACE = 1;
  private static final int EXCHANGE = 2;

  private final Inodes inodes;

  Renames(Inodes inodes) {
    this.inodes = inodes;
  }

  /** One name as it stands before the command. */
  private record Place(Directory directory, Entry entry, Inode inode) {}

  Reply rename(Rename rename, long now) {
    int flags = rename.getFlags();
    if ((flags & ~(NOREPLACE | EXCHANGE)) != 0 || flags == (NOREPLACE | EXCHANGE)) {
      throw new Refusal(Errno.EINVAL, "rename flags " + flags);
    }
    Inodes.checkName(rename.getOldName());
    Inodes.checkName(rename.getNewName());
    Directory from = inodes.directory(rename.getOldParent());
    Directory to = inodes.directory(rename.getNewParent());
    Entry old = from.find(rename.getOldName());
    Entry present = to.find(rename.getNewName());
    if (old == null) {
      return Replies.NO_SUCH_NAME;
    }
    Place source = new Place(from, old, inodes.of(old));
    checkNotBelowItself(source.inode, to);
    if (present == null && flags == EXCHANGE) {
      return Replies.NO_SUCH_NAME;
    }
    if (present == null) {
      move(source, to, now);
      inodes.enter(to, rename.getNewName(), source.inode);
      return Replies.NOTHING_REMOVED;
    }
    Place target = new Place(to, present, inodes.of(present));
    return flags == EXCHANGE ? exchange(source, target, now) : replace(source, target, flags, now);
  }

  private void checkNotBelowItself(Inode moved, Directory to) {
    if (moved.isDirectory() && inodes.isWithin(to, moved)) {
      throw new Refusal(Errno.EINVAL, "a directory cannot move below itself");
    }
  }

  private static void checkReplaceable(Inode moved, Inode replaced) {
    if (replaced instanceof Directory directory) {
      if (!moved.isDirectory()) {
        throw new Refusal(Errno.EISDIR, "the new name is a directory");
      }
      if (!directory.isEmpty()) {
        throw new Refusal(Errno.ENOTEMPTY, "the new name is a directory that is not empty");
      }
    } else if (moved.isDirectory()) {
      throw new Refusal(Errno.ENOTDIR, "the new name is no directory");
    }
  }

  /** Takes the inode's old name and carries it, with its "..", over to the new parent. */
  private void move(Place source, Directory to, long now) {
    inodes.strike(source.directory, source.entry);
    inodes.touch(to);
    inodes.touch(source.inode);
    reparent(source.inode, source.directory, to);
    source.directory.modified(now);
    to.modified(now);
    source.inode.changed(now);
  }

  private static void reparent(Inode moved, Directory from, Directory to) {
    if (moved instanceof Directory directory) {
      from.links--;
      to.links++;
      directory.parent = to.id;
    }
  }

  /** The new name's entry stays, with its cookie, and gets the moved inode. */
  private Reply replace(Place source, Place target, int flags, long now) {
    if (flags == NOREPLACE) {
      throw new Refusal(Errno.EEXIST, "the new name exists");
    }
    if (source.inode == target.inode) {
      return Replies.NOTHING_REMOVED;
    }
    checkReplaceable(source.inode, target.inode);
    move(source, target.directory, now);
    inodes.replace(target.directory, target.entry, source.inode);
    return Replies.removal(inodes.unlinked(target.inode, target.directory, now));
  }

  private Reply exchange(Place source, Place target, long now) {
    checkNotBelowItself(target.inode, source.directory);
    if (source.inode == target.inode) {
      return Replies.NOTHING_REMOVED;
    }
    inodes.touch(source.inode);
    inodes.touch(target.inode);
    inodes.replace(source.directory, source.entry, target.inode);
    inodes.replace(target.directory, target.entry, source.inode);
    reparent(source.inode, source.directory, target.directory);
    reparent(target.inode, target.directory, source.directory);
    source.directory.modified(now);
    target.directory.modified(now);
    source.inode.changed(now);
    target.inode.changed(now);
    return Replies.NOTHING_REMOVED;
  }
}
