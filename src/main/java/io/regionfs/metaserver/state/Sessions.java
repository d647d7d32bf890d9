package io.regionfs.metaserver.state;

import io.regionfs.meta.Messages;
import io.regionfs.model.Errno;
import io.regionfs.proto.Close;
import io.regionfs.proto.CloseFiles;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Open;
import io.regionfs.proto.Removal;
import io.regionfs.proto.RemovalList;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Settle;
import java.util.List;

/**
 * Opens and write sessions of nodes.
 *
 * <p>The values that end a write session are believed only if no other node can have written since
 * they were taken: an inode that several nodes wrote at the same time stays {@code atHome} after
 * the last close, until someone settles it.
 */
final class Sessions {
  private final Inodes inodes;
  private final Nodes nodes;
  private final LockCommands locks;
  private final ExportCommands exports;

  Sessions(Inodes inodes, Nodes nodes, LockCommands locks, ExportCommands exports) {
    this.exports = exports;
    this.inodes = inodes;
    this.nodes = nodes;
    this.locks = locks;
  }

  /** ESTALE if the node's lease has run out: what it opened would never be closed. */
  void checkMember(int node) {
    if (!nodes.isLiving(node)) {
      throw new Refusal(Errno.ESTALE, "node " + node + " is not a member");
    }
  }

  Reply open(Open open) {
    checkMember(open.getNode());
    Inode inode = inodes.get(open.getInode());
    exports.checkLives(inode.id);
    if (open.getWrite() && inode.type() != FileType.FILE_TYPE_FILE) {
      throw new Refusal(Errno.EISDIR, "only files are written");
    }
    Reply reply = Replies.attributes(inode);
    begin(inode, open.getNode(), open.getWrite());
    return reply;
  }

  void begin(Inode inode, int node, boolean write) {
    inodes.touch(inode);
    if (inode.opens == null) {
      inode.opens = new Opens();
    }
    inode.opens.open(node, write);
    inode.setAtHome(inode.isAtHome() || write);
    nodes.opened(node, inode.id);
  }

  /** Closing what is not open, or gone, is done already. */
  Reply close(Close close) {
    Inode inode = inodes.find(close.getInode());
    if (inode == null) {
      return Replies.NOTHING_REMOVED;
    }
    inodes.touch(inode);
    if (close.hasAtime()) {
      inode.readAt(Messages.nanos(close.getAtime()));
    }
    endSession(inode, close);
    if (close.getWrite()) {
      return Replies.attributes(inode);
    }
    nodes.closed(close.getNode(), inode.id);
    Removal removal = end(inode, close.getNode());
    return Replies.removal(removal, inode.isAtHome() && !inode.isDead());
  }

  Reply close(CloseFiles files) {
    RemovalList.Builder freed = RemovalList.newBuilder();
    for (Close close : files.getClosesList()) {
      Removal removal = close(close).getRemoval();
      if (removal.getDeadInode() != 0) {
        freed.addRemovals(removal);
      }
    }
    return Reply.newBuilder().setRemovals(freed).build();
  }

  private static void endSession(Inode inode, Close close) {
    boolean alone = inode.opens != null && !inode.opens.isShared();
    boolean ended = inode.opens != null && inode.opens.closeWrite(close.getNode());
    if (!close.hasSettled()) {
      return;
    }
    if (ended && alone) {
      inode.settle(close.getSettled());
      inode.setAtHome(false);
    } else if (ended) {
      inode.settleIfLater(close.getSettled());
    }
  }

  private Removal end(Inode inode, int node) {
    if (inode.opens != null) {
      inodes.touch(inode);
      locks.endAll(inode, node);
      inode.opens.close(node);
      if (!inode.opens.isOpen()) {
        inode.opens = null;
      }
    }
    return inodes.removeIfDead(inode);
  }

  /** Ignored while a node writes, or once settled: then better values are there or to come. */
  Reply settle(Settle values) {
    Inode inode = inodes.get(values.getInode());
    boolean written = inode.opens != null && inode.opens.isWritten();
    if (inode.isAtHome() && !written) {
      inodes.touch(inode);
      inode.settle(values);
      inode.setAtHome(false);
    }
    return Replies.DONE;
  }

  /**
   * Ends all opens of a node, and its locks. What it wrote stays at home until someone settles it.
   */
  void endAll(int node) {
    List<Long> opened = nodes.forgetOpens(node);
    for (long id : opened) {
      Inode inode = inodes.find(id);
      if (inode != null) {
        end(inode, node);
      }
    }
  }
}
