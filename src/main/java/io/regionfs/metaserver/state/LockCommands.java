package io.regionfs.metaserver.state;

import io.regionfs.model.Errno;
import io.regionfs.proto.EndLocks;
import io.regionfs.proto.FileLock;
import io.regionfs.proto.LockKind;
import io.regionfs.proto.LockReply;
import io.regionfs.proto.LockState;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Locks of files, as flock(2) and fcntl(2) have them, between the owners of all nodes. A node locks
 * only what it has open; with its open its locks end.
 *
 * <p>Requests that wait are granted in the order in which they came: one that conflicts with an
 * earlier one waits behind it, even if nothing that is held stands against it. It goes first only
 * where the earlier one waits, through others or not, for the owner of the later one: else both
 * would wait for ever. One that may not wait is denied where another would wait.
 */
public final class LockCommands {
  /** Ranges and requests of one inode; each of its commands walks them. */
  static final int MOST_PER_INODE = 4_096;

  /** Of all inodes. */
  static final int MOST = 1_000_000;

  private static final Reply GRANTED = reply(LockState.LOCK_STATE_GRANTED);
  private static final Reply WAITING = reply(LockState.LOCK_STATE_WAITING);
  private static final Reply DENIED = reply(LockState.LOCK_STATE_DENIED);

  private final Inodes inodes;
  private final Nodes nodes;
  private final Mutations mutations;
  private final WaitsFor waitsFor = new WaitsFor();
  private int total;

  LockCommands(Inodes inodes, Nodes nodes, Mutations mutations) {
    this.inodes = inodes;
    this.nodes = nodes;
    this.mutations = mutations;
  }

  private static Reply reply(LockState state) {
    return Reply.newBuilder().setLock(LockReply.newBuilder().setState(state)).build();
  }

  /** Ranges held and requests waiting. */
  public int total() {
    return total;
  }

  Reply run(Operation operation) {
    return switch (operation.getOperationCase()) {
      case LOCK -> lock(operation.getLock());
      case CANCEL_LOCK -> cancel(operation.getCancelLock());
      default -> end(operation.getEndLocks());
    };
  }

  /** ENOENT; ESTALE if the node is no member or has not opened the inode. */
  private Reply lock(FileLock lock) {
    check(lock);
    Inode inode = inodes.get(lock.getInode());
    Opens opens = inode.opens;
    if (!nodes.isLiving(lock.getNode()) || opens == null || !opens.isOpenBy(lock.getNode())) {
      throw new Refusal(
          Errno.ESTALE, "node " + lock.getNode() + " has not opened inode " + inode.id);
    }
    InodeLocks locks = opens.locks();
    if (lock.getKind() != LockKind.LOCK_KIND_UNLOCK) {
      return acquire(inode, opens, locks == null ? new InodeLocks() : locks, lock);
    }
    if (locks != null) {
      LockOwner owner = LockOwner.of(lock);
      change(inode, opens, locks, () -> locks.release(owner, lock.getFirst(), lock.getLast()));
    }
    return GRANTED;
  }

  private static void check(FileLock lock) {
    boolean ordered = lock.getFirst() >= 0 && lock.getFirst() <= lock.getLast();
    boolean known =
        switch (lock.getKind()) {
          case LOCK_KIND_SHARED, LOCK_KIND_EXCLUSIVE, LOCK_KIND_UNLOCK -> true;
          default -> false;
        };
    if (!ordered || !known) {
      throw new Refusal(Errno.EINVAL, "not a lock");
    }
  }

  private Reply acquire(Inode inode, Opens opens, InodeLocks locks, FileLock lock) {
    LockOwner owner = LockOwner.of(lock);
    if (lock.getRequest() != 0 && locks.waiting(owner, lock.getRequest()) != null) {
      return WAITING;
    }
    if (locks.covers(lock)) {
      return GRANTED;
    }
    if (locks.size() >= MOST_PER_INODE || total >= MOST) {
      throw new Refusal(Errno.ENOLCK, "inode " + inode.id + " has too many locks");
    }
    // flock(2) changes a lock in two steps: others may get theirs in between.
    if (lock.getFlock()) {
      change(inode, opens, locks, () -> locks.release(owner, 0, Long.MAX_VALUE));
    }
    boolean mayWait = lock.getRequest() != 0;
    boolean free = locks.conflicting(lock) == null;
    if (free && isItsTurn(locks, lock)) {
      change(inode, opens, locks, () -> locks.hold(lock));
      return GRANTED;
    }
    if (!mayWait) {
      return DENIED;
    }
    if (!lock.getFlock()) {
      locks.conflicting(lock, other -> refuseDeadlock(other, owner));
    }
    change(inode, opens, locks, () -> enqueue(locks, lock));
    return WAITING;
  }

  private void refuseDeadlock(LockOwner holder, LockOwner owner) {
    if (waitsFor.reaches(holder, owner)) {
      throw new Refusal(Errno.EDEADLK, "the owner of the lock waits for a lock of this owner");
    }
  }

  private void enqueue(InodeLocks locks, FileLock lock) {
    locks.waiting().add(lock);
    waitsFor.added(locks, lock);
  }

  /** No request that came before stands against it, but such as wait for its owner. */
  private boolean isItsTurn(InodeLocks locks, FileLock lock) {
    for (FileLock earlier : locks.waiting()) {
      if (earlier.equals(lock)) {
        break;
      }
      if (InodeLocks.conflict(earlier, lock)
          && !waitsFor.reaches(LockOwner.of(earlier), LockOwner.of(lock))) {
        return false;
      }
    }
    return true;
  }

  /** Changes the locks of an inode, and grants what can be granted then. */
  private void change(Inode inode, Opens opens, InodeLocks locks, Runnable change) {
    inodes.touch(inode);
    total -= opens.locks() == null ? 0 : locks.size();
    change.run();
    while (grantNext(locks)) {}
    opens.setLocks(locks.isEmpty() ? null : locks);
    total += locks.size();
  }

  private boolean grantNext(InodeLocks locks) {
    Iterator<FileLock> turns = locks.waiting().iterator();
    while (turns.hasNext()) {
      FileLock next = turns.next();
      if (locks.conflicting(next) == null && isItsTurn(locks, next)) {
        turns.remove();
        waitsFor.removed(next);
        locks.hold(next);
        mutations.granted(next);
        return true;
      }
    }
    return false;
  }

  /** Granted if it has its lock by now; else the request is gone. */
  private Reply cancel(FileLock lock) {
    check(lock);
    Inode inode = inodes.find(lock.getInode());
    Opens opens = inode == null ? null : inode.opens;
    InodeLocks locks = opens == null ? null : opens.locks();
    if (inode == null || opens == null || locks == null) {
      return DENIED;
    }
    FileLock wait = locks.waiting(LockOwner.of(lock), lock.getRequest());
    if (wait == null) {
      return locks.covers(lock) ? GRANTED : DENIED;
    }
    change(inode, opens, locks, () -> withdraw(locks, wait));
    return DENIED;
  }

  private void withdraw(InodeLocks locks, FileLock wait) {
    locks.waiting().remove(wait);
    waitsFor.removed(wait);
  }

  private Reply end(EndLocks end) {
    Inode inode = inodes.find(end.getInode());
    if (inode != null) {
      end(inode, List.of(LockOwner.of(end)));
    }
    return Replies.DONE;
  }

  /** All that the owners of a node have in an inode, before its open ends. */
  void endAll(Inode inode, int node) {
    InodeLocks locks = inode.opens == null ? null : inode.opens.locks();
    if (locks != null) {
      end(inode, locks.ownersOf(node));
    }
  }

  private void end(Inode inode, List<LockOwner> owners) {
    Opens opens = inode.opens;
    InodeLocks locks = opens == null ? null : opens.locks();
    if (opens == null || locks == null || owners.isEmpty()) {
      return;
    }
    change(
        inode,
        opens,
        locks,
        () -> {
          for (LockOwner owner : owners) {
            waits(locks, owner).forEach(wait -> withdraw(locks, wait));
            locks.release(owner, 0, Long.MAX_VALUE);
          }
        });
  }

  private static List<FileLock> waits(InodeLocks locks, LockOwner owner) {
    List<FileLock> waits = new ArrayList<>();
    for (FileLock wait : locks.waiting()) {
      if (LockOwner.of(wait).equals(owner)) {
        waits.add(wait);
      }
    }
    return waits;
  }

  /** F_GETLK. */
  Reply conflicting(FileLock lock) {
    check(lock);
    Inode inode = inodes.get(lock.getInode());
    InodeLocks locks = inode.opens == null ? null : inode.opens.locks();
    @Nullable FileLock found = locks == null ? null : locks.conflicting(lock);
    LockReply.Builder reply = LockReply.newBuilder();
    if (found != null) {
      reply.setConflicting(found);
    }
    return Reply.newBuilder().setLock(reply).build();
  }

  /** An inode came from a snapshot. */
  void restored(Inode inode) {
    InodeLocks locks = inode.opens == null ? null : inode.opens.locks();
    if (locks != null) {
      total += locks.size();
      locks.waiting().forEach(wait -> waitsFor.added(locks, wait));
    }
  }
}
