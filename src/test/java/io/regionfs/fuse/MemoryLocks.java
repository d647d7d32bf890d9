package io.regionfs.fuse;

import io.regionfs.fs.LockRequest;
import io.regionfs.fs.LockRequest.Kind;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The locks of one file of {@link MemoryFileSystem}, guarded by its monitor. */
final class MemoryLocks {
  private final List<LockRequest> held = new ArrayList<>();

  synchronized void lock(LockRequest wanted, boolean wait) {
    while (conflicting(wanted) != null) {
      if (!wait) {
        throw new FsException(Errno.EAGAIN, "locked: " + wanted);
      }
      try {
        wait();
      } catch (InterruptedException e) {
        throw new FsException(Errno.EINTR, "waiting for " + wanted, e);
      }
    }
    cutOut(wanted);
    if (wanted.kind() != Kind.UNLOCK) {
      held.add(wanted);
    }
    notifyAll();
  }

  synchronized @Nullable LockRequest conflicting(LockRequest wanted) {
    for (LockRequest lock : held) {
      if (lock.owner() != wanted.owner()
          && overlap(lock, wanted)
          && wanted.kind() != Kind.UNLOCK
          && (wanted.kind() == Kind.EXCLUSIVE || lock.kind() == Kind.EXCLUSIVE)) {
        return lock;
      }
    }
    return null;
  }

  private static boolean overlap(LockRequest a, LockRequest b) {
    return a.flock() == b.flock() && a.first() <= b.last() && b.first() <= a.last();
  }

  /** Takes a range away from what its owner holds. */
  private void cutOut(LockRequest range) {
    for (LockRequest lock : List.copyOf(held)) {
      if (lock.owner() != range.owner() || !overlap(lock, range)) {
        continue;
      }
      held.remove(lock);
      if (lock.first() < range.first()) {
        held.add(between(lock, lock.first(), range.first() - 1));
      }
      if (lock.last() > range.last()) {
        held.add(between(lock, range.last() + 1, lock.last()));
      }
    }
  }

  private static LockRequest between(LockRequest lock, long first, long last) {
    return new LockRequest(lock.owner(), lock.flock(), lock.kind(), first, last, lock.pid());
  }

  synchronized void releasePosix(long owner) {
    held.removeIf(lock -> lock.owner() == owner && !lock.flock());
    notifyAll();
  }

  synchronized void release(long owner) {
    held.removeIf(lock -> lock.owner() == owner);
    notifyAll();
  }
}
