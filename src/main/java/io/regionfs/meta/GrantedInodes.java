package io.regionfs.meta;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What was granted in one term, with nothing forgotten as a whole; bounded, by evictions. Reading
 * takes no lock; what is done to one inode is done by one thread at a time.
 */
final class GrantedInodes {
  /** Evictions free this part of the room at once. */
  private static final int EVICTED_PART = 16;

  private final long term;
  private final long mostInodes;
  private final long mostWeight;
  private final ConcurrentHashMap<Long, CachedInode> inodes = new ConcurrentHashMap<>();
  private final AtomicLong weight = new AtomicLong();
  private final Object evicting = new Object();

  @GuardedBy("evicting")
  private @Nullable Iterator<Map.Entry<Long, CachedInode>> hand;

  /**
   * @param mostWeight bounds inodes, names and listed entries together
   */
  GrantedInodes(long term, long mostInodes, long mostWeight) {
    this.term = term;
    this.mostInodes = mostInodes;
    this.mostWeight = mostWeight;
  }

  long term() {
    return term;
  }

  @Nullable CachedInode get(long inode) {
    return inodes.get(inode);
  }

  /**
   * Adds to what is known of an inode.
   *
   * @param may asked when no other thread can fill or remove the inode any more
   */
  void fill(long inode, Consumer<CachedInode> part, BooleanSupplier may) {
    inodes.compute(
        inode,
        (id, known) -> {
          if (!may.getAsBoolean()) {
            return known;
          }
          CachedInode cached = known == null ? new CachedInode() : known;
          int before = known == null ? 0 : known.weight();
          part.accept(cached);
          weight.addAndGet(cached.weight() - before);
          return cached;
        });
    if (isFull()) {
      evict();
    }
  }

  /**
   * Removes all that is known of an inode.
   *
   * @param first done first, when no other thread can fill the inode any more, known or not
   */
  void remove(long inode, Runnable first) {
    inodes.compute(
        inode,
        (id, cached) -> {
          first.run();
          if (cached != null) {
            weight.addAndGet(-cached.weight());
          }
          return null;
        });
  }

  private boolean isFull() {
    return inodes.mappingCount() > mostInodes || weight.get() > mostWeight;
  }

  private boolean hasRoom() {
    return inodes.mappingCount() <= mostInodes - mostInodes / EVICTED_PART
        && weight.get() <= mostWeight - mostWeight / EVICTED_PART;
  }

  /** Second chance: what was used since the hand came by stays for another round. */
  private void evict() {
    synchronized (evicting) {
      while (!hasRoom()) {
        if (hand == null || !hand.hasNext()) {
          hand = inodes.entrySet().iterator();
          if (!hand.hasNext()) {
            return;
          }
        }
        Map.Entry<Long, CachedInode> next = hand.next();
        if (!next.getValue().wasUsed()) {
          evict(next.getKey());
        }
      }
    }
  }

  private void evict(long inode) {
    inodes.computeIfPresent(
        inode,
        (id, cached) -> {
          weight.addAndGet(-cached.weight());
          return null;
        });
  }
}
