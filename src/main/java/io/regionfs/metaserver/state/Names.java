package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.model.Errno;
import io.regionfs.proto.Create;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Link;
import io.regionfs.proto.Remove;
import io.regionfs.proto.Reply;

/** Making and removing names. Every operation checks all it needs before it changes anything. */
final class Names {
  private static final int SET_GROUP_ID = 02000;
  private static final int MAX_TARGET_BYTES = 4095;

  /** Names of one file, as in ext4. */
  private static final int MAX_LINKS = 65_000;

  private final Inodes inodes;
  private final Nodes nodes;
  private final Sessions sessions;
  private final InodeCommands inodeCommands;

  Names(Inodes inodes, Nodes nodes, Sessions sessions, InodeCommands inodeCommands) {
    this.inodes = inodes;
    this.nodes = nodes;
    this.sessions = sessions;
    this.inodeCommands = inodeCommands;
  }

  Reply create(Create create, long newInode, long now) {
    Directory parent = parentOfNew(create.getParent(), create.getName());
    checkType(create);
    if (create.getType() == FileType.FILE_TYPE_FILE && nodes.isForgotten(create.getHome())) {
      throw new Refusal(Errno.ESTALE, "node " + create.getHome() + " is no member any more");
    }
    boolean open = create.getOpenBy() != 0;
    if (open) {
      sessions.checkMember(create.getOpenBy());
    }
    Inode inode = make(create, inodes.nextId(newInode), parent, now);
    if (create.hasExporter() && create.getType() == FileType.FILE_TYPE_FILE) {
      inodes.exports().add(inode.id, inode.home, create.getExporter());
    }
    inodes.add(inode, parent, create.getName());
    inodeCommands.inherit(parent, create, inode);
    if (inode.isDirectory()) {
      parent.links++;
    }
    parent.modified(now);
    Reply reply = Replies.attributes(inode);
    if (open) {
      sessions.begin(inode, create.getOpenBy(), create.getOpenForWrite());
    }
    return reply;
  }

  /** The directory that shall take a new name: EEXIST if it has it. */
  private Directory parentOfNew(long id, ByteString name) {
    Inodes.checkName(name);
    Directory parent = inodes.directory(id);
    if (parent.find(name) != null) {
      throw new Refusal(Errno.EEXIST, "the name exists");
    }
    return parent;
  }

  private static void checkType(Create create) {
    ByteString target = create.getTarget();
    switch (create.getType()) {
      case FILE_TYPE_FILE, FILE_TYPE_DIRECTORY -> {
        if (!target.isEmpty()) {
          throw new Refusal(Errno.EINVAL, "a target for what is no symlink");
        }
      }
      case FILE_TYPE_SYMLINK -> {
        if (target.isEmpty()) {
          throw new Refusal(Errno.ENOENT, "a symlink without target");
        }
        if (target.size() > MAX_TARGET_BYTES) {
          throw new Refusal(Errno.ENAMETOOLONG, "target of " + target.size() + " bytes");
        }
      }
      default -> throw new Refusal(Errno.EINVAL, "unknown type of inode");
    }
    if (create.getOpenBy() != 0 && create.getType() != FileType.FILE_TYPE_FILE) {
      throw new Refusal(Errno.EINVAL, "only a file is opened as it is made");
    }
  }

  /** In a set-group-id directory new inodes get its group, and directories the bit: inode(7). */
  private static Inode make(Create create, long id, Directory parent, long now) {
    boolean inherits = (parent.mode() & SET_GROUP_ID) != 0;
    int gid = inherits ? parent.gid : create.getGid();
    int mode = InodeCommands.modeOfNew(parent, create);
    if (create.getType() == FileType.FILE_TYPE_FILE) {
      return new Inode(id, create, gid, mode, now);
    }
    if (create.getType() == FileType.FILE_TYPE_SYMLINK) {
      return new Symlink(id, create, gid, mode, now);
    }
    int directoryMode = mode | (inherits ? SET_GROUP_ID : 0);
    return new Directory(id, parent.id, create, gid, directoryMode, now);
  }

  Reply link(Link link, long now) {
    Inode inode = inodes.get(link.getInode());
    if (inode.isDirectory()) {
      throw new Refusal(Errno.EPERM, "a hard link to a directory");
    }
    Directory parent = parentOfNew(link.getParent(), link.getName());
    if (inode.links == 0) {
      throw new Refusal(Errno.ENOENT, "the file has no name any more");
    }
    if (inode.links >= MAX_LINKS) {
      throw new Refusal(Errno.EMLINK, "the file has " + inode.links + " names");
    }
    inodes.enter(parent, link.getName(), inode);
    parent.modified(now);
    inodes.touch(inode);
    inode.links++;
    inode.changed(now);
    return Replies.attributes(inode);
  }

  Reply remove(Remove remove, long now) {
    Inodes.checkName(remove.getName());
    Directory parent = inodes.directory(remove.getParent());
    Entry entry = parent.find(remove.getName());
    if (entry == null) {
      return Replies.NO_SUCH_NAME;
    }
    Inode inode = inodes.of(entry);
    if (remove.getDirectory()) {
      if (!(inode instanceof Directory directory)) {
        throw new Refusal(Errno.ENOTDIR, "not a directory");
      }
      if (!directory.isEmpty()) {
        throw new Refusal(Errno.ENOTEMPTY, "directory not empty");
      }
    } else if (inode.isDirectory()) {
      throw new Refusal(Errno.EISDIR, "a directory");
    }
    inodes.strike(parent, entry);
    parent.modified(now);
    return Replies.removal(inodes.unlinked(inode, parent, now));
  }
}
