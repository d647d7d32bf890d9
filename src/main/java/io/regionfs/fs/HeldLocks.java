package io.regionfs.fs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.model.InodeId;
import io.regionfs.model.LockRanges;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The locks that processes of this node hold, and the open files through which they took them. When
 * the node's lease is lost, so are they at the metadata service: these files are told, and stay
 * lost until all locks of the owner are given back. Safe for use by many threads; its monitor is a
 * leaf.
 */
final class HeldLocks {
  @GuardedBy("this")
  private final Map<Holder, Held> held = new HashMap<>();

  /** Grows with every lease that is lost. */
  @GuardedBy("this")
  private long lease;

  /** Who holds. */
  record Holder(InodeId inode, long owner, boolean flock) {}

  private static final class Held {
    final LockRanges ranges = new LockRanges();
    final Set<FileLocks> files = new HashSet<>();
    boolean lost;
  }

  /** To be given to {@link #taken}. */
  synchronized long lease() {
    return lease;
  }

  /**
   * The service has granted a lock that was asked for under this lease.
   *
   * @return false if that lease was lost meanwhile: it has to be asked for again
   */
  synchronized boolean taken(Holder holder, LockRequest lock, FileLocks file, long askedUnder) {
    if (askedUnder != lease) {
      return false;
    }
    Held own = held.computeIfAbsent(holder, key -> new Held());
    own.ranges.set(lock.first(), lock.last(), lock.kind() == LockRequest.Kind.EXCLUSIVE);
    own.files.add(file);
    file.holders().add(holder);
    return true;
  }

  /** Whether the holder has any of these bytes, even if lost. */
  synchronized boolean meets(Holder holder, long first, long last) {
    Held own = held.get(holder);
    return own != null && own.ranges.find(first, last, false) != null;
  }

  /** Whether the holder has all of this lock already. */
  synchronized boolean covers(Holder holder, LockRequest lock) {
    Held own = held.get(holder);
    return own != null
        && own.ranges.covers(lock.first(), lock.last(), lock.kind() == LockRequest.Kind.EXCLUSIVE);
  }

  synchronized boolean isLost(Holder holder) {
    Held own = held.get(holder);
    return own != null && own.lost;
  }

  /** These bytes are not locked any more. */
  synchronized void given(Holder holder, long first, long last) {
    Held own = held.get(holder);
    if (own == null) {
      return;
    }
    own.ranges.clear(first, last);
    if (own.ranges.isEmpty()) {
      held.remove(holder);
      for (FileLocks file : own.files) {
        file.holders().remove(holder);
        judge(file);
      }
    }
  }

  /** The holders that took locks through this file and still have them. */
  synchronized List<Holder> holders(FileLocks file) {
    return List.copyOf(file.holders());
  }

  /** The lease of the node was lost, and with it every lock. */
  synchronized void lost() {
    lease++;
    for (Held own : held.values()) {
      own.lost = true;
      own.files.forEach(this::judge);
    }
  }

  @GuardedBy("this")
  private void judge(FileLocks file) {
    boolean lost = false;
    for (Holder holder : file.holders()) {
      @Nullable Held own = held.get(holder);
      lost |= own != null && own.lost;
    }
    file.setLost(lost);
  }
}
