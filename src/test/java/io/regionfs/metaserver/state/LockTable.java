package io.regionfs.metaserver.state;

import io.regionfs.proto.EndLocks;
import io.regionfs.proto.FileLock;
import io.regionfs.proto.LockKind;
import io.regionfs.proto.LockState;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import java.util.List;

/** The locks of a {@link Tree} that three nodes have joined, with short names for commands. */
final class LockTable {
  final Tree tree;

  LockTable(Tree tree) {
    this.tree = tree;
    for (int node = 1; node <= 3; node++) {
      tree.join("n" + node, node);
    }
  }

  /** A file that all three have open. */
  long file(String name) {
    long file = Tree.inode(tree.file(Tree.ROOT, name));
    for (int node = 1; node <= 3; node++) {
      tree.open(file, node, false);
    }
    return file;
  }

  static FileLock.Builder message(
      long file, int node, long owner, LockKind kind, long first, long last) {
    return FileLock.newBuilder()
        .setInode(file)
        .setNode(node)
        .setOwner(owner)
        .setKind(kind)
        .setFirst(first)
        .setLast(last)
        .setPid(100 * node);
  }

  /** By fcntl. */
  Reply lock(long file, int node, long owner, LockKind kind, long first, long last, long request) {
    return lock(message(file, node, owner, kind, first, last).setRequest(request));
  }

  Reply lock(FileLock.Builder lock) {
    return tree.run(Operation.newBuilder().setLock(lock));
  }

  Reply flock(long file, int node, long owner, LockKind kind, long request) {
    return lock(
        message(file, node, owner, kind, 0, Long.MAX_VALUE).setFlock(true).setRequest(request));
  }

  LockState cancel(FileLock.Builder lock) {
    return tree.run(Operation.newBuilder().setCancelLock(lock)).getLock().getState();
  }

  void end(long file, int node, long owner, boolean flock) {
    tree.run(
        Operation.newBuilder()
            .setEndLocks(
                EndLocks.newBuilder()
                    .setInode(file)
                    .setNode(node)
                    .setOwner(owner)
                    .setFlock(flock)));
  }

  /** The numbers of the requests that the last command granted. */
  List<Long> granted() {
    return tree.namespace.changes().granted().stream().map(FileLock::getRequest).toList();
  }

  FileLock conflicting(FileLock.Builder lock) {
    Reply reply = tree.namespace.query(Query.newBuilder().setConflictingLock(lock).build());
    return reply.getLock().getConflicting();
  }
}
