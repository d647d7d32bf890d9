package io.regionfs.metaserver.state;

import io.regionfs.proto.SnapshotDead;
import java.util.HashSet;
import java.util.Iterator;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How far a snapshot has come with the dead inodes of the homes, and which came and went since it
 * began. An inode dies once, so its number tells all.
 */
final class DeadImages {
  private final NavigableMap<Integer, NavigableSet<Long>> live;

  /** Written are all of earlier homes, and of this one up to the last. */
  private int home = Integer.MIN_VALUE;

  private long last = Long.MIN_VALUE;

  /** Dropped before they were written. */
  private final NavigableMap<Integer, NavigableSet<Long>> dropped = new TreeMap<>();

  private final Set<Long> added = new HashSet<>();

  DeadImages(NavigableMap<Integer, NavigableSet<Long>> live) {
    this.live = live;
  }

  void added(long inode) {
    added.add(inode);
  }

  void dropped(int of, long inode) {
    boolean written = of < home || (of == home && inode <= last);
    if (!added.remove(inode) && !written) {
      dropped.computeIfAbsent(of, key -> new TreeSet<>()).add(inode);
    }
  }

  /** Up to so many dead inodes of one home; null at the end. */
  @Nullable SnapshotDead next(int limit) {
    while (true) {
      SnapshotDead.Builder batch = SnapshotDead.newBuilder().setHome(home);
      take(
          live.getOrDefault(home, new TreeSet<>()).tailSet(last, false).iterator(),
          dropped.getOrDefault(home, new TreeSet<>()),
          limit,
          batch);
      if (batch.getInodesCount() > 0) {
        return batch.build();
      }
      Integer alive = live.higherKey(home);
      Integer gone = dropped.higherKey(home);
      if (alive == null && gone == null) {
        return null;
      }
      home = gone == null || (alive != null && alive < gone) ? alive : gone;
      last = Long.MIN_VALUE;
    }
  }

  private void take(
      Iterator<Long> alive, NavigableSet<Long> gone, int limit, SnapshotDead.Builder batch) {
    Long next = nextOld(alive);
    while (batch.getInodesCount() < limit && (next != null || !gone.isEmpty())) {
      if (next == null || (!gone.isEmpty() && gone.first() < next)) {
        last = gone.pollFirst();
      } else {
        last = next;
        next = nextOld(alive);
      }
      batch.addInodes(last);
    }
  }

  private @Nullable Long nextOld(Iterator<Long> alive) {
    while (alive.hasNext()) {
      Long inode = alive.next();
      if (!added.contains(inode)) {
        return inode;
      }
    }
    return null;
  }
}
