package io.regionfs.metaserver.state;

import io.regionfs.model.LockRanges;
import io.regionfs.proto.FileLock;
import io.regionfs.proto.LockKind;
import io.regionfs.proto.SnapshotLocks;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The locks of one inode: what owners hold, and in the order of their turns what they wait for.
 * Whether a request has to wait its turn is decided by {@link LockCommands}. Changed only by
 * commands.
 */
final class InodeLocks {
  /** No owner in here is without ranges. */
  private final TreeMap<LockOwner, Held> held = new TreeMap<>();

  private final List<FileLock> waiting = new ArrayList<>();

  private static final class Held {
    final LockRanges ranges = new LockRanges();

    /** Who locked last. */
    int pid;
  }

  InodeLocks() {}

  InodeLocks(SnapshotLocks record) {
    record.getHeldList().forEach(this::hold);
    waiting.addAll(record.getWaitingList());
  }

  static boolean isExclusive(FileLock lock) {
    return lock.getKind() == LockKind.LOCK_KIND_EXCLUSIVE;
  }

  /** The owner has this range as it says from now on, whatever others hold. */
  void hold(FileLock lock) {
    Held own = held.computeIfAbsent(LockOwner.of(lock), owner -> new Held());
    own.ranges.set(lock.getFirst(), lock.getLast(), isExclusive(lock));
    own.pid = lock.getPid();
  }

  void release(LockOwner owner, long first, long last) {
    Held own = held.get(owner);
    if (own != null) {
      own.ranges.clear(first, last);
      if (own.ranges.isEmpty()) {
        held.remove(owner);
      }
    }
  }

  boolean covers(FileLock lock) {
    Held own = held.get(LockOwner.of(lock));
    return own != null && own.ranges.covers(lock.getFirst(), lock.getLast(), isExclusive(lock));
  }

  /** A lock that others hold and that stands against this one; null: there is none. */
  @Nullable FileLock conflicting(FileLock lock) {
    for (Map.Entry<LockOwner, Held> other : held.entrySet()) {
      LockRanges.Range range = conflict(other.getKey(), other.getValue(), lock);
      if (range != null) {
        return message(lock.getInode(), other.getKey(), other.getValue().pid, range);
      }
    }
    return null;
  }

  /** The owners of all that stands against this lock. */
  void conflicting(FileLock lock, Consumer<LockOwner> owners) {
    held.forEach(
        (owner, other) -> {
          if (conflict(owner, other, lock) != null) {
            owners.accept(owner);
          }
        });
  }

  private static LockRanges.@Nullable Range conflict(LockOwner owner, Held other, FileLock lock) {
    boolean another = owner.flock() == lock.getFlock() && !owner.equals(LockOwner.of(lock));
    return another ? other.ranges.find(lock.getFirst(), lock.getLast(), !isExclusive(lock)) : null;
  }

  /** Whether two requests of different owners cannot both be granted. */
  static boolean conflict(FileLock one, FileLock other) {
    return one.getFlock() == other.getFlock()
        && (isExclusive(one) || isExclusive(other))
        && one.getFirst() <= other.getLast()
        && other.getFirst() <= one.getLast()
        && !LockOwner.of(one).equals(LockOwner.of(other));
  }

  /** In the order of their turns; may be changed. */
  List<FileLock> waiting() {
    return waiting;
  }

  /** The request that waits under this number; null: none. */
  @Nullable FileLock waiting(LockOwner owner, long request) {
    for (FileLock wait : waiting) {
      if (wait.getRequest() == request && LockOwner.of(wait).equals(owner)) {
        return wait;
      }
    }
    return null;
  }

  /** The owners of a node that hold or wait for anything. */
  List<LockOwner> ownersOf(int node) {
    List<LockOwner> owners = new ArrayList<>();
    Iterator<LockOwner> from =
        held.tailMap(new LockOwner(node, Long.MIN_VALUE, false)).keySet().iterator();
    LockOwner next = from.hasNext() ? from.next() : null;
    while (next != null && next.node() == node) {
      owners.add(next);
      next = from.hasNext() ? from.next() : null;
    }
    for (FileLock wait : waiting) {
      if (wait.getNode() == node && !owners.contains(LockOwner.of(wait))) {
        owners.add(LockOwner.of(wait));
      }
    }
    return owners;
  }

  boolean isEmpty() {
    return held.isEmpty() && waiting.isEmpty();
  }

  /** Ranges and requests. */
  int size() {
    int size = waiting.size();
    for (Held one : held.values()) {
      size += one.ranges.size();
    }
    return size;
  }

  private static FileLock message(long inode, LockOwner owner, int pid, LockRanges.Range range) {
    return FileLock.newBuilder()
        .setInode(inode)
        .setNode(owner.node())
        .setOwner(owner.number())
        .setFlock(owner.flock())
        .setKind(range.exclusive() ? LockKind.LOCK_KIND_EXCLUSIVE : LockKind.LOCK_KIND_SHARED)
        .setFirst(range.first())
        .setLast(range.last())
        .setPid(pid)
        .build();
  }

  SnapshotLocks record(long inode) {
    SnapshotLocks.Builder record = SnapshotLocks.newBuilder();
    held.forEach(
        (owner, one) ->
            one.ranges
                .all()
                .forEach(range -> record.addHeld(message(inode, owner, one.pid, range))));
    return record.addAllWaiting(waiting).build();
  }

  void addTo(Fingerprint print) {
    held.forEach(
        (owner, one) -> {
          print.add(owner.node()).add(owner.number()).add(owner.flock()).add(one.pid);
          for (LockRanges.Range range : one.ranges.all()) {
            print.add(range.first()).add(range.last()).add(range.exclusive());
          }
        });
    for (FileLock wait : waiting) {
      print.add(wait.getNode()).add(wait.getOwner()).add(wait.getFlock()).add(wait.getPid());
      print.add(wait.getFirst()).add(wait.getLast()).add(isExclusive(wait)).add(wait.getRequest());
    }
  }
}
