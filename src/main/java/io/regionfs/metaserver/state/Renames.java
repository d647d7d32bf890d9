package io.regionfs.metaserver.state;

import io.regionfs.model.Errno;
import io.regionfs.proto.Removal;
import io.regionfs.proto.Rename;
import io.regionfs.proto.Reply;
import org.jspecify.annotations.Nullable;

/** rename(2) and renameat2(2) with RENAME_NOREPLACE and RENAME_EXCHANGE. */
final class Renames {
  private static final int NOREPLACE = 1;
  private static final int EXCHANGE = 2;

  private final Inodes inodes;

  Renames(Inodes inodes) {
    this.inodes = inodes;
  }

  Reply rename(Rename rename, long now) {
    int flags = rename.getFlags();
    if ((flags & ~(NOREPLACE | EXCHANGE)) != 0 || flags == (NOREPLACE | EXCHANGE)) {
      throw new Refusal(Errno.EINVAL, "rename flags " + flags);
    }
    Inodes.checkName(rename.getOldName());
    Inodes.checkName(rename.getNewName());
    Directory from = inodes.directory(rename.getOldParent());
    Directory to = inodes.directory(rename.getNewParent());
    Directory.Entry source = from.find(rename.getOldName());
    Directory.Entry target = to.find(rename.getNewName());
    if (source == null) {
      return Replies.NO_SUCH_NAME;
    }
    checkNotBelowItself(source.inode, to);
    if (flags == EXCHANGE) {
      return exchange(from, source, to, target, now);
    }
    if (target == null) {
      move(from, source, to, now);
      inodes.enter(to, rename.getNewName(), source.inode);
      return Replies.NOTHING_REMOVED;
    }
    if (flags == NOREPLACE) {
      throw new Refusal(Errno.EEXIST, "the new name exists");
    }
    if (source.inode == target.inode) {
      return Replies.NOTHING_REMOVED;
    }
    checkReplaceable(source.inode, target.inode);
    return Replies.removal(replace(from, source, to, target, now));
  }

  private static void checkNotBelowItself(Inode moved, Directory to) {
    if (moved.isDirectory() && to.isWithin(moved)) {
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
  private void move(Directory from, Directory.Entry source, Directory to, long now) {
    inodes.strike(from, source);
    inodes.touch(to);
    inodes.touch(source.inode);
    reparent(source.inode, from, to);
    from.modified(now);
    to.modified(now);
    source.inode.changed(now);
  }

  private static void reparent(Inode moved, Directory from, Directory to) {
    if (moved instanceof Directory directory) {
      from.links--;
      to.links++;
      directory.parent = to;
    }
  }

  /** The new name's entry stays, with its cookie, and gets the moved inode. */
  private Removal replace(
      Directory from, Directory.Entry source, Directory to, Directory.Entry target, long now) {
    move(from, source, to, now);
    Inode replaced = target.inode;
    inodes.replace(to, target, source.inode);
    return inodes.unlinked(replaced, to, now);
  }

  private Reply exchange(
      Directory from,
      Directory.Entry source,
      Directory to,
      Directory.@Nullable Entry target,
      long now) {
    if (target == null) {
      return Replies.NO_SUCH_NAME;
    }
    checkNotBelowItself(target.inode, from);
    if (source.inode == target.inode) {
      return Replies.NOTHING_REMOVED;
    }
    Inode moved = source.inode;
    inodes.touch(moved);
    inodes.touch(target.inode);
    inodes.replace(from, source, target.inode);
    inodes.replace(to, target, moved);
    reparent(moved, from, to);
    reparent(source.inode, to, from);
    from.modified(now);
    to.modified(now);
    moved.changed(now);
    source.inode.changed(now);
    return Replies.NOTHING_REMOVED;
  }
}
