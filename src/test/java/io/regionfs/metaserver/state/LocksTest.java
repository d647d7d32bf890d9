package io.regionfs.metaserver.state;

import static io.regionfs.metaserver.state.LockTable.message;
import static io.regionfs.metaserver.state.Tree.errno;
import static io.regionfs.proto.LockKind.LOCK_KIND_EXCLUSIVE;
import static io.regionfs.proto.LockKind.LOCK_KIND_SHARED;
import static io.regionfs.proto.LockKind.LOCK_KIND_UNLOCK;
import static io.regionfs.proto.LockState.LOCK_STATE_DENIED;
import static io.regionfs.proto.LockState.LOCK_STATE_GRANTED;
import static io.regionfs.proto.LockState.LOCK_STATE_WAITING;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.Errno;
import io.regionfs.proto.FileLock;
import io.regionfs.proto.LockKind;
import io.regionfs.proto.LockState;
import io.regionfs.proto.Reply;
import org.junit.jupiter.api.Test;

/** Locks between the owners of three nodes. */
class LocksTest {
  private static final long END = Long.MAX_VALUE;

  private final Tree tree = new Tree();
  private final LockTable locks = new LockTable(tree);
  private final long file = locks.file("f");

  private LockState lock(int node, LockKind kind, long first, long last, long request) {
    return state(locks.lock(file, node, 1, kind, first, last, request));
  }

  private static LockState state(Reply reply) {
    assertThat(reply.getErrno()).as(reply.getDetail()).isZero();
    return reply.getLock().getState();
  }

  private int total() {
    return tree.namespace.locks().total();
  }

  @Test
  void sharedLocksGoTogetherAndExclusiveOnesAlone() {
    assertThat(lock(1, LOCK_KIND_SHARED, 0, 9, 0)).isEqualTo(LOCK_STATE_GRANTED);
    assertThat(lock(2, LOCK_KIND_SHARED, 5, 14, 0)).isEqualTo(LOCK_STATE_GRANTED);
    assertThat(lock(3, LOCK_KIND_EXCLUSIVE, 9, 9, 0)).isEqualTo(LOCK_STATE_DENIED);
    assertThat(lock(3, LOCK_KIND_EXCLUSIVE, 15, END, 0)).isEqualTo(LOCK_STATE_GRANTED);
    assertThat(lock(1, LOCK_KIND_SHARED, 14, 15, 0)).isEqualTo(LOCK_STATE_DENIED);
    assertThat(lock(1, LOCK_KIND_UNLOCK, 0, END, 0)).isEqualTo(LOCK_STATE_GRANTED);
    assertThat(lock(2, LOCK_KIND_UNLOCK, 0, 9, 0)).isEqualTo(LOCK_STATE_GRANTED);
    assertThat(lock(3, LOCK_KIND_EXCLUSIVE, 9, 9, 0)).isEqualTo(LOCK_STATE_GRANTED);
  }

  @Test
  void ownersOfOneNodeAreOthersToEachOther() {
    assertThat(state(locks.lock(file, 1, 1, LOCK_KIND_EXCLUSIVE, 0, 9, 0)))
        .isEqualTo(LOCK_STATE_GRANTED);
    assertThat(state(locks.lock(file, 1, 2, LOCK_KIND_EXCLUSIVE, 0, 9, 0)))
        .isEqualTo(LOCK_STATE_DENIED);
    assertThat(state(locks.lock(file, 1, 1, LOCK_KIND_SHARED, 3, 4, 0)))
        .isEqualTo(LOCK_STATE_GRANTED);
    assertThat(total()).isEqualTo(3);
    assertThat(state(locks.lock(file, 1, 2, LOCK_KIND_SHARED, 3, 4, 0)))
        .isEqualTo(LOCK_STATE_GRANTED);
  }

  @Test
  void flockAndFcntlDoNotSeeEachOther() {
    assertThat(lock(1, LOCK_KIND_EXCLUSIVE, 0, END, 0)).isEqualTo(LOCK_STATE_GRANTED);
    assertThat(state(locks.flock(file, 2, 1, LOCK_KIND_EXCLUSIVE, 0)))
        .isEqualTo(LOCK_STATE_GRANTED);
    assertThat(state(locks.flock(file, 3, 1, LOCK_KIND_SHARED, 0))).isEqualTo(LOCK_STATE_DENIED);
  }

  /** As in flock(2): who changes a lock gives up the old one first. */
  @Test
  void twoSharersOfAFlockMayBothAskForMore() {
    locks.flock(file, 1, 1, LOCK_KIND_SHARED, 0);
    locks.flock(file, 2, 1, LOCK_KIND_SHARED, 0);
    assertThat(state(locks.flock(file, 1, 1, LOCK_KIND_EXCLUSIVE, 5)))
        .isEqualTo(LOCK_STATE_WAITING);
    assertThat(state(locks.flock(file, 2, 1, LOCK_KIND_EXCLUSIVE, 6)))
        .isEqualTo(LOCK_STATE_WAITING);
    assertThat(locks.granted()).containsExactly(5L);
    locks.end(file, 1, 1, true);
    assertThat(locks.granted()).containsExactly(6L);
  }

  @Test
  void whoWaitsIsGrantedInTurn() {
    lock(1, LOCK_KIND_SHARED, 0, 9, 0);
    assertThat(lock(2, LOCK_KIND_EXCLUSIVE, 0, 9, 5)).isEqualTo(LOCK_STATE_WAITING);
    assertThat(lock(3, LOCK_KIND_SHARED, 0, 9, 6)).isEqualTo(LOCK_STATE_WAITING);
    assertThat(lock(3, LOCK_KIND_SHARED, 20, 29, 7)).isEqualTo(LOCK_STATE_GRANTED);
    assertThat(lock(3, LOCK_KIND_SHARED, 9, 15, 0)).isEqualTo(LOCK_STATE_DENIED);
    lock(1, LOCK_KIND_UNLOCK, 0, 4, 0);
    assertThat(locks.granted()).isEmpty();
    lock(1, LOCK_KIND_UNLOCK, 0, 9, 0);
    assertThat(locks.granted()).containsExactly(5L);
    lock(2, LOCK_KIND_SHARED, 0, 9, 0);
    assertThat(locks.granted()).containsExactly(6L);
  }

  @Test
  void askingAgainChangesNothing() {
    lock(1, LOCK_KIND_EXCLUSIVE, 0, 9, 0);
    lock(2, LOCK_KIND_EXCLUSIVE, 0, 9, 5);
    assertThat(lock(2, LOCK_KIND_EXCLUSIVE, 0, 9, 5)).isEqualTo(LOCK_STATE_WAITING);
    assertThat(total()).isEqualTo(2);
    lock(1, LOCK_KIND_UNLOCK, 0, END, 0);
    assertThat(lock(2, LOCK_KIND_EXCLUSIVE, 0, 9, 5)).isEqualTo(LOCK_STATE_GRANTED);
    assertThat(total()).isEqualTo(1);
  }

  @Test
  void aCancelledRequestIsGoneOrGranted() {
    FileLock.Builder wait = message(file, 2, 1, LOCK_KIND_EXCLUSIVE, 0, 9).setRequest(5);
    lock(1, LOCK_KIND_SHARED, 0, 9, 0);
    locks.lock(wait);
    assertThat(lock(3, LOCK_KIND_SHARED, 0, 9, 6)).isEqualTo(LOCK_STATE_WAITING);
    assertThat(locks.cancel(wait)).isEqualTo(LOCK_STATE_DENIED);
    assertThat(locks.granted()).containsExactly(6L);
    lock(1, LOCK_KIND_UNLOCK, 0, END, 0);
    lock(3, LOCK_KIND_UNLOCK, 0, END, 0);
    assertThat(total()).isZero();
    locks.lock(wait);
    assertThat(locks.cancel(wait)).isEqualTo(LOCK_STATE_GRANTED);
    assertThat(total()).isEqualTo(1);
  }

  @Test
  void circlesOfThreeOverTwoFilesAreRefused() {
    long other = locks.file("g");
    lock(1, LOCK_KIND_EXCLUSIVE, 0, 0, 0);
    lock(2, LOCK_KIND_EXCLUSIVE, 1, 1, 0);
    locks.lock(other, 3, 1, LOCK_KIND_SHARED, 0, 0, 0);
    assertThat(lock(1, LOCK_KIND_SHARED, 1, 1, 5)).isEqualTo(LOCK_STATE_WAITING);
    assertThat(state(locks.lock(other, 2, 1, LOCK_KIND_EXCLUSIVE, 0, 9, 6)))
        .isEqualTo(LOCK_STATE_WAITING);
    assertThat(errno(locks.lock(file, 3, 1, LOCK_KIND_SHARED, 0, 0, 7))).isEqualTo(Errno.EDEADLK);
    assertThat(lock(3, LOCK_KIND_SHARED, 0, 0, 0)).isEqualTo(LOCK_STATE_DENIED);
    locks.end(other, 3, 1, false);
    assertThat(locks.granted()).containsExactly(6L);
  }

  /** Behind it, it would wait for ever. */
  @Test
  void anUpgradeGoesBeforeWhoWaitsForIt() {
    lock(1, LOCK_KIND_SHARED, 0, 9, 0);
    lock(2, LOCK_KIND_EXCLUSIVE, 0, 9, 5);
    assertThat(lock(1, LOCK_KIND_EXCLUSIVE, 0, 9, 6)).isEqualTo(LOCK_STATE_GRANTED);
    lock(1, LOCK_KIND_SHARED, 0, 9, 0);
    assertThat(locks.granted()).isEmpty();
  }

  @Test
  void onlyOneOfTwoReadersMayWaitToWrite() {
    lock(1, LOCK_KIND_SHARED, 0, 9, 0);
    lock(3, LOCK_KIND_SHARED, 0, 9, 0);
    lock(2, LOCK_KIND_EXCLUSIVE, 0, 9, 5);
    assertThat(lock(1, LOCK_KIND_EXCLUSIVE, 0, 9, 7)).isEqualTo(LOCK_STATE_WAITING);
    assertThat(errno(locks.lock(file, 3, 1, LOCK_KIND_EXCLUSIVE, 0, 9, 8)))
        .isEqualTo(Errno.EDEADLK);
    lock(3, LOCK_KIND_UNLOCK, 0, 9, 0);
    assertThat(locks.granted()).containsExactly(7L);
  }

  @Test
  void closingEndsTheLocksOfTheNode() {
    lock(1, LOCK_KIND_EXCLUSIVE, 0, 9, 0);
    locks.flock(file, 1, 9, LOCK_KIND_EXCLUSIVE, 0);
    lock(1, LOCK_KIND_SHARED, 50, 59, 0);
    lock(2, LOCK_KIND_EXCLUSIVE, 5, 5, 5);
    locks.flock(file, 3, 9, LOCK_KIND_SHARED, 6);
    tree.close(file, 1);
    assertThat(locks.granted()).containsExactlyInAnyOrder(5L, 6L);
    assertThat(total()).isEqualTo(2);
    assertThat(errno(locks.lock(file, 1, 1, LOCK_KIND_SHARED, 90, 99, 0))).isEqualTo(Errno.ESTALE);
  }

  @Test
  void deathEndsLocksAndRequests() {
    lock(1, LOCK_KIND_EXCLUSIVE, 0, 9, 0);
    lock(2, LOCK_KIND_EXCLUSIVE, 0, 9, 5);
    lock(3, LOCK_KIND_EXCLUSIVE, 0, 9, 6);
    tree.expire(2);
    assertThat(locks.granted()).isEmpty();
    tree.expire(1);
    assertThat(locks.granted()).containsExactly(6L);
    assertThat(errno(locks.lock(file, 1, 1, LOCK_KIND_SHARED, 90, 99, 0))).isEqualTo(Errno.ESTALE);
    tree.join("n3", 3);
    assertThat(total()).isZero();
  }

  @Test
  void whatStandsAgainstALockIsTold() {
    lock(1, LOCK_KIND_SHARED, 10, 19, 0);
    FileLock found = locks.conflicting(message(file, 2, 1, LOCK_KIND_EXCLUSIVE, 0, 12));
    assertThat(found).isEqualTo(message(file, 1, 1, LOCK_KIND_SHARED, 10, 19).build());
    assertThat(locks.conflicting(message(file, 2, 1, LOCK_KIND_SHARED, 0, 12)).getNode()).isZero();
    assertThat(locks.conflicting(message(file, 1, 1, LOCK_KIND_EXCLUSIVE, 0, 12)).getNode())
        .isZero();
  }

  @Test
  void thereAreOnlySoMany() {
    for (int i = 0; i < LockCommands.MOST_PER_INODE; i++) {
      assertThat(lock(1, LOCK_KIND_SHARED, 2L * i, 2L * i, 0)).isEqualTo(LOCK_STATE_GRANTED);
    }
    assertThat(errno(locks.lock(file, 2, 1, LOCK_KIND_SHARED, 0, 0, 0))).isEqualTo(Errno.ENOLCK);
    assertThat(lock(1, LOCK_KIND_UNLOCK, 0, END, 0)).isEqualTo(LOCK_STATE_GRANTED);
    assertThat(total()).isZero();
    assertThat(lock(2, LOCK_KIND_SHARED, 0, 0, 0)).isEqualTo(LOCK_STATE_GRANTED);
  }

  @Test
  void whatIsNoLockIsRefused() {
    assertThat(errno(locks.lock(file, 1, 1, LOCK_KIND_SHARED, 5, 4, 0))).isEqualTo(Errno.EINVAL);
    assertThat(errno(locks.lock(file, 1, 1, LOCK_KIND_SHARED, -1, 4, 0))).isEqualTo(Errno.EINVAL);
    assertThat(errno(locks.lock(99, 1, 1, LOCK_KIND_SHARED, 0, 4, 0))).isEqualTo(Errno.ENOENT);
  }
}
