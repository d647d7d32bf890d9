package io.regionfs.metaserver.state;

import io.regionfs.proto.EndLocks;
import io.regionfs.proto.FileLock;
import java.util.Comparator;

/**
 * Who holds locks: a node's table of open files or one of its open file descriptions. Ordered, so
 * that every replica walks owners alike.
 *
 * @param number unique within the node
 * @param flock whether it locks by flock(2)
 */
record LockOwner(int node, long number, boolean flock) implements Comparable<LockOwner> {
  private static final Comparator<LockOwner> ORDER =
      Comparator.comparingInt(LockOwner::node)
          .thenComparingLong(LockOwner::number)
          .thenComparing(LockOwner::flock);

  static LockOwner of(FileLock lock) {
    return new LockOwner(lock.getNode(), lock.getOwner(), lock.getFlock());
  }

  static LockOwner of(EndLocks end) {
    return new LockOwner(end.getNode(), end.getOwner(), end.getFlock());
  }

  @Override
  public int compareTo(LockOwner other) {
    return ORDER.compare(this, other);
  }
}
