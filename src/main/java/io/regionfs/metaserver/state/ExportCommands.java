package io.regionfs.metaserver.state;

import io.regionfs.metaserver.state.Exports.Exported;
import io.regionfs.metaserver.state.Exports.Place;
import io.regionfs.model.Errno;
import io.regionfs.proto.Export;
import io.regionfs.proto.ExportFile;
import io.regionfs.proto.ExportList;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Removal;
import io.regionfs.proto.Reply;

/**
 * Files that live as long as a process of their home. When that ends, or the home, the file is
 * ended: it has no name any more, cannot be opened, and who has it open is told.
 */
final class ExportCommands {
  private final Inodes inodes;
  private final Nodes nodes;
  private final Mutations mutations;

  ExportCommands(Inodes inodes, Nodes nodes, Mutations mutations) {
    this.inodes = inodes;
    this.nodes = nodes;
    this.mutations = mutations;
  }

  /** EINVAL for what is no file, ESTALE if it was ended. */
  Reply export(ExportFile ask) {
    Inode inode = inodes.get(ask.getInode());
    if (inode.type() != FileType.FILE_TYPE_FILE) {
      throw new Refusal(Errno.EINVAL, "only files are exported");
    }
    checkLives(inode.id);
    inodes.exports().remove(inode.id);
    if (ask.hasExporter()) {
      if (!nodes.isLiving(inode.home)) {
        throw new Refusal(Errno.ESTALE, "the home is not a member");
      }
      inodes.exports().add(inode.id, inode.home, ask.getExporter());
      inodes.forEachNameOf(inode, inodes.exports()::entered);
    }
    return Replies.DONE;
  }

  /** ESTALE if it was ended. */
  void checkLives(long inode) {
    Exported exported = inodes.exports().find(inode);
    if (exported != null && exported.isEnded()) {
      throw new Refusal(Errno.ESTALE, "the process that exported inode " + inode + " has ended");
    }
  }

  /** What has ended already, or is gone, or is not exported stays as it is. */
  Reply end(long id, long now) {
    Exported exported = inodes.exports().find(id);
    Inode inode = inodes.find(id);
    if (exported == null || inode == null || exported.isEnded()) {
      return Replies.NOTHING_REMOVED;
    }
    exported.end();
    if (inode.opens != null) {
      mutations.tell(inode.id, inode.opens.nodes());
    }
    inodes.touch(inode);
    inode.changed(now);
    Removal removal = Removal.getDefaultInstance();
    for (Place place : exported.names()) {
      if (inodes.get(place.directory()) instanceof Directory parent) {
        inodes.strike(parent, place.entry());
        parent.modified(now);
        removal = inodes.unlinked(inode, parent, now);
      }
    }
    return Replies.removal(removal);
  }

  /** The home is gone. */
  void endAll(int home, long now) {
    for (long inode : inodes.exports().at(home)) {
      Reply unused = end(inode, now);
    }
  }

  /** None if it lives until it is unlinked. ENOENT. */
  Reply exportOf(long id) {
    Inode inode = inodes.get(id);
    Exported exported = inodes.exports().find(inode.id);
    ExportList.Builder list = ExportList.newBuilder();
    if (exported != null) {
      list.addExports(exported.record());
    }
    return Reply.newBuilder().setExports(list).build();
  }

  /** Those that have not ended. */
  Reply exportsAt(int home) {
    ExportList.Builder list = ExportList.newBuilder();
    for (Export export : inodes.exports().records()) {
      if (export.getHome() == home && !export.getEnded()) {
        list.addExports(export);
      }
    }
    return Reply.newBuilder().setExports(list).build();
  }
}
