package io.regionfs.meta;

import io.regionfs.meta.Metadata.ForgetListener;
import io.regionfs.model.InodeId;
import io.regionfs.proto.Grant;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node keeps of the answers of the metadata service, as long as it may. Safe for use by many
 * threads; a hit takes no lock.
 *
 * <p>Invariants. It answers only while the node's cache lease holds, and from what was granted by
 * the leader of the latest term that was heard of. An answer is kept only if nothing of its inode
 * was forgotten since it was asked for, and no command of this node that touches the inode is under
 * way: for inodes are forgotten by number, and the answer that arrives after that may be older. A
 * gap between two leases forgets everything, since nothing was recalled in it.
 */
final class NodeCache {
  private static final Logger LOG = LoggerFactory.getLogger(NodeCache.class);
  private static final int MOST_INODES = 200_000;
  private static final long MOST_WEIGHT = 2_000_000;

  private final long mostInodes;
  private final long mostWeight;

  private final Generations generations = new Generations();

  /** Replaced when everything is forgotten. */
  private volatile GrantedInodes store;

  /** Of the cache lease, by System.nanoTime. */
  private volatile long leaseEnd = System.nanoTime();

  private volatile ForgetListener listener =
      new ForgetListener() {
        @Override
        public void forget(InodeId inode) {}

        @Override
        public void forgetAll() {}
      };

  /** When something was asked. */
  static final class Question {
    private final GrantedInodes store;
    private final long time;

    private Question(GrantedInodes store, long time) {
      this.store = store;
      this.time = time;
    }
  }

  NodeCache() {
    this(MOST_INODES, MOST_WEIGHT);
  }

  /**
   * @param mostWeight bounds inodes, names and listed entries together
   */
  NodeCache(int mostInodes, long mostWeight) {
    this.mostInodes = mostInodes;
    this.mostWeight = mostWeight;
    this.store = noneOf(0);
  }

  private GrantedInodes noneOf(long term) {
    return new GrantedInodes(term, mostInodes, mostWeight);
  }

  void listen(ForgetListener newListener) {
    listener = newListener;
  }

  // ---- hits

  /** What is known and may be answered, or null. */
  <T> @Nullable T find(InodeId inode, Function<CachedInode, @Nullable T> part) {
    GrantedInodes current = store;
    CachedInode cached = current.get(inode.value());
    if (cached == null) {
      return null;
    }
    T found = part.apply(cached);
    // Looked at before the lease: it held when this was still in the store.
    if (found == null || !isHeld() || store != current) {
      return null;
    }
    cached.use();
    return found;
  }

  private boolean isHeld() {
    return leaseEnd - System.nanoTime() > 0;
  }

  long leasedNanos(InodeId inode) {
    long left = leaseEnd - System.nanoTime();
    return left > 0 && find(inode, CachedInode::attributes) != null ? left : 0;
  }

  /** Whether answers to questions asked now could be kept. */
  boolean isUsable() {
    return store.term() != 0 && isHeld();
  }

  // ---- filling

  /** To be taken before a question is sent. */
  Question question() {
    long time = generations.now();
    return new Question(store, time);
  }

  /** Keeps a part of an answer, if it is granted and not outdated. */
  void fill(Question question, Grant grant, InodeId inode, Consumer<CachedInode> part) {
    if (grant.getInodesCount() > 0) {
      heard(grant.getTerm());
      if (grant.getTerm() == question.store.term() && grants(grant, inode.value())) {
        fillGranted(question, inode, part);
      }
    }
  }

  private static boolean grants(Grant grant, long inode) {
    for (int i = 0; i < grant.getInodesCount(); i++) {
      if (grant.getInodes(i) == inode) {
        return true;
      }
    }
    return false;
  }

  /** As {@link #fill}, for a grant of this term that is known to name the inode. */
  void fillGranted(Question question, InodeId inode, Consumer<CachedInode> part) {
    question.store.fill(
        inode.value(), part, () -> generations.mayFill(inode.value(), question.time));
  }

  boolean isOfThisTerm(Question question, Grant grant) {
    heard(grant.getTerm());
    return grant.getTerm() == question.store.term();
  }

  // ---- forgetting

  /** Recalled by the leader of a term. */
  void recalled(long term, List<InodeId> inodes) {
    heard(term);
    for (InodeId inode : inodes) {
      drop(inode);
    }
    inodes.forEach(inode -> tell(inode, listener::recalled));
  }

  private void drop(InodeId inode) {
    GrantedInodes current;
    do {
      current = store;
      current.remove(inode.value(), () -> generations.forgotten(inode.value()));
    } while (current != store);
  }

  private static void tell(InodeId inode, Consumer<InodeId> told) {
    try {
      told.accept(inode);
    } catch (RuntimeException e) {
      LOG.error("Could not pass on that inode {} has changed", inode, e);
    }
  }

  void forgetAll() {
    synchronized (this) {
      store = noneOf(store.term());
    }
    tellAll();
  }

  private void tellAll() {
    try {
      listener.forgetAll();
    } catch (RuntimeException e) {
      LOG.error("Could not pass on that everything may have changed", e);
    }
  }

  /** A later term makes the grants of earlier ones void. */
  void heard(long term) {
    if (term > store.term()) {
      synchronized (this) {
        if (term <= store.term()) {
          return;
        }
        store = noneOf(term);
      }
      tellAll();
    }
  }

  // ---- the node's own commands

  /** Before a command that touches these inodes is sent; to be followed by {@link #changed}. */
  void change(List<InodeId> inodes) {
    for (InodeId inode : inodes) {
      generations.change(inode.value());
      drop(inode);
    }
    inodes.forEach(inode -> tell(inode, listener::forget));
  }

  /** The command has ended, or its outcome is not waited for any more. */
  void changed(List<InodeId> inodes) {
    for (InodeId inode : inodes) {
      drop(inode);
      generations.changed(inode.value());
    }
  }

  // ---- the lease

  /**
   * The service has renewed the lease.
   *
   * @param sentNanos when the renewal was sent
   */
  void extend(long term, long sentNanos, long leaseNanos) {
    heard(term);
    boolean gap;
    synchronized (this) {
      gap = !isHeld();
      if (gap) {
        store = noneOf(store.term());
      }
      long end = sentNanos + leaseNanos;
      leaseEnd = gap || end - leaseEnd > 0 ? end : leaseEnd;
    }
    if (gap) {
      tellAll();
    }
  }

  /** The node is no member any more. */
  void endLease() {
    synchronized (this) {
      leaseEnd = System.nanoTime();
      store = noneOf(store.term());
    }
    tellAll();
  }
}
