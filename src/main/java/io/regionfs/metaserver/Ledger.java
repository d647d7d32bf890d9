package io.regionfs.metaserver;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Who has to forget what, and what waits for it, in one term. One monitor, inside the replica's
 * lock and around those of the {@link GrantTable}; what waited is told outside of it. The argument
 * for all this is with {@link CacheLeases}. Times are nanoseconds of the leases' clock.
 */
final class Ledger {
  /** Clocks of different hosts run equally fast within 5 %. */
  private static final int CLOCK_TOLERANCE = 20;

  private static final int EVICTED_AT_ONCE = 1000;

  private final GrantTable grants;
  private final long cacheLeaseNanos;
  private final long coolingNanos;
  private final Consumer<Holder> caller;

  /** The last hold on each inode; it ends after those before it. Put under the replica's lock. */
  private final Map<Long, Hold> latest = new ConcurrentHashMap<>();

  /** Recently recalled: until when they are not granted. */
  private final Map<Long, Long> cooling = new ConcurrentHashMap<>();

  private final Map<Integer, Holder> byNode = new ConcurrentHashMap<>();

  @GuardedBy("this")
  private final Map<Integer, Holder> byNumber = new HashMap<>();

  @GuardedBy("this")
  private final Set<Hold> active = new HashSet<>();

  @GuardedBy("this")
  private int lastNumber;

  @GuardedBy("this")
  private int evicted;

  private volatile @Nullable Hold earlierTerms;
  private volatile boolean closed;

  /**
   * @param caller starts to recall from a holder that owes; must not wait
   */
  Ledger(GrantTable grants, Duration cacheLease, Duration cooling, Consumer<Holder> caller) {
    this.grants = grants;
    this.cacheLeaseNanos = cacheLease.plus(cacheLease.dividedBy(CLOCK_TOLERANCE)).toNanos();
    this.coolingNanos = cooling.toNanos();
    this.caller = caller;
  }

  /** These nodes may hold anything of earlier terms. Called once, before all others. */
  synchronized void start(Collection<Integer> living, long now) {
    Hold all = new Hold(List.of());
    for (int node : living) {
      Holder holder = newHolder(node, now);
      holder.oweEarlierTerms(all, now + cacheLeaseNanos);
    }
    if (all.isWaiting()) {
      active.add(all);
      earlierTerms = all;
      byNumber.values().forEach(this::call);
    }
  }

  @GuardedBy("this")
  private Holder newHolder(int node, long now) {
    Holder holder = new Holder(++lastNumber, node, now + cacheLeaseNanos);
    byNumber.put(holder.number(), holder);
    byNode.put(node, holder);
    return holder;
  }

  @GuardedBy("this")
  private void call(Holder holder) {
    if (holder.startCalling()) {
      caller.accept(holder);
    }
  }

  /** What everything waits for at the start of a term; null when that is over. */
  @Nullable Hold earlierTerms() {
    return earlierTerms;
  }

  /** What a question about this inode waits for. */
  @Nullable Hold holdOn(long inode) {
    return latest.get(inode);
  }

  boolean holdsNone() {
    return latest.isEmpty();
  }

  /** Null if the node may not be granted anything. */
  @Nullable Holder grantee(int node, long now) {
    Holder holder = byNode.get(node);
    return holder == null || holder.isOver(now) ? null : holder;
  }

  boolean isCool(long inode, long now) {
    if (cooling.isEmpty()) {
      return true;
    }
    Long until = cooling.get(inode);
    return until == null || until <= now;
  }

  /**
   * A command was applied, and the replica's lock for writing is held.
   *
   * @param dropped whether this inode needs no recall from this node, {@code actor}
   * @return what its reply waits for
   */
  synchronized @Nullable Hold changed(
      Operation operation,
      Reply reply,
      List<Long> inodes,
      int actor,
      LongPredicate dropped,
      long now) {
    if (closed || (grants.size() == 0 && active.isEmpty())) {
      return null;
    }
    Hold hold = new Hold(inodes);
    for (long inode : inodes) {
      recall(inode, hold, number -> number == actor && dropped.test(inode), now);
    }
    build(hold, operation, reply);
    return keep(hold);
  }

  /** What a reply waits for that was found in the state; the replica's lock is held. */
  synchronized @Nullable Hold repeated(Operation operation, Reply reply) {
    if (closed || active.isEmpty()) {
      return null;
    }
    Hold hold = new Hold(List.of());
    build(hold, operation, reply);
    return keep(hold);
  }

  @GuardedBy("this")
  private void recall(long inode, Hold hold, IntPredicate needsNone, long now) {
    for (int number : grants.take(inode)) {
      Holder holder = byNumber.get(number);
      if (holder != null && !needsNone.test(holder.node())) {
        holder.owe(inode, hold, now);
        cooling.put(inode, now + coolingNanos);
        call(holder);
      }
    }
  }

  /** Lets the hold end after all whose changes the command has built on, or its reply tells of. */
  @GuardedBy("this")
  private void build(Hold hold, Operation operation, Reply reply) {
    Hold all = earlierTerms;
    if (all != null) {
      hold.follow(all);
    }
    follow(hold, hold.inodes());
    if (Involved.mayTellOfAny(operation, reply)) {
      latest.values().forEach(hold::follow);
    } else {
      follow(hold, Involved.in(operation));
    }
  }

  private void follow(Hold hold, List<Long> inodes) {
    for (long inode : inodes) {
      Hold earlier = latest.get(inode);
      if (earlier != null) {
        hold.follow(earlier);
      }
    }
  }

  @GuardedBy("this")
  private @Nullable Hold keep(Hold hold) {
    if (!hold.isWaiting()) {
      return null;
    }
    active.add(hold);
    hold.inodes().forEach(inode -> latest.put(inode, hold));
    return hold;
  }

  /** Its membership has begun, and it has brought nothing along. */
  void joined(int node, long now) {
    List<Hold> over;
    synchronized (this) {
      Holder holder = byNode.get(node);
      if (holder == null) {
        holder = newHolder(node, now);
      }
      holder.extendTo(now + cacheLeaseNanos);
      over = release(holder.forgotEarlierTerms());
    }
    complete(over);
  }

  /**
   * Whether the node may go on answering from its cache for another lease: not if it has not
   * answered a recall for so long that a change would wait for ever.
   */
  synchronized boolean extend(int node, long now) {
    Holder holder = byNode.get(node);
    if (holder == null) {
      return true;
    }
    if (holder.owesSinceBefore(now - cacheLeaseNanos / 2)) {
      return false;
    }
    holder.extendTo(now + cacheLeaseNanos);
    return true;
  }

  /** It says that its cache is gone. */
  void left(int node, long now) {
    synchronized (this) {
      Holder holder = byNode.get(node);
      if (holder != null) {
        holder.leave();
      }
    }
    tick(now);
  }

  /** Its membership has ended. The replica's lock for writing is held. */
  synchronized void ended(int node) {
    Holder holder = byNode.remove(node);
    if (holder != null) {
      holder.end();
    }
  }

  /** What to recall next from the holder; null: it owes nothing, and the caller stops. */
  synchronized @Nullable List<Long> nextRecall(Holder holder) {
    if (closed || !holder.owes() || !byNumber.containsKey(holder.number())) {
      holder.stopCalling();
      return null;
    }
    return holder.nextRecall();
  }

  void answered(Holder holder, long now) {
    List<Hold> over;
    synchronized (this) {
      over = release(holder.answered(now));
    }
    complete(over);
  }

  /** Stops to wait for caches whose lease has run out. */
  void tick(long now) {
    List<Hold> over = new ArrayList<>();
    synchronized (this) {
      for (Holder holder : List.copyOf(byNumber.values())) {
        over.addAll(release(holder.stopWaiting(now)));
        if (holder.isEnded() && holder.isOver(now)) {
          byNumber.remove(holder.number());
        }
      }
      evict(now);
    }
    complete(over);
    cooling.values().removeIf(until -> until <= now);
  }

  /** Makes room in the table by recalling some; changes of these wait as if it was for them. */
  @GuardedBy("this")
  private void evict(long now) {
    if (closed || grants.size() < grants.most() / 16 * 15) {
      return;
    }
    Set<Integer> known = Set.copyOf(byNumber.keySet());
    grants.purge(number -> !known.contains(number));
    for (int i = 0; i < EVICTED_AT_ONCE && grants.size() > grants.most() / 16 * 14; i++) {
      long inode = grants.some(evicted++);
      if (inode != 0) {
        Hold hold = new Hold(List.of(inode));
        recall(inode, hold, node -> false, now);
        follow(hold, hold.inodes());
        keep(hold);
      }
    }
  }

  /** Each of these waits for one less; returns those that have ended. */
  @GuardedBy("this")
  private List<Hold> release(List<Hold> waiting) {
    List<Hold> over = new ArrayList<>();
    Deque<Hold> next = new ArrayDeque<>(waiting);
    while (!next.isEmpty()) {
      Hold hold = next.removeFirst();
      if (hold.release()) {
        over.add(hold);
        active.remove(hold);
        hold.inodes().forEach(inode -> latest.remove(inode, hold));
        if (hold == earlierTerms) {
          earlierTerms = null;
        }
        next.addAll(hold.followers());
      }
    }
    return over;
  }

  private static void complete(List<Hold> over) {
    over.forEach(hold -> hold.done().complete(null));
  }

  boolean isClosed() {
    return closed;
  }

  /** The term is over: what waits is not answered here any more. */
  void close() {
    List<Hold> abandoned;
    synchronized (this) {
      closed = true;
      abandoned = List.copyOf(active);
      active.clear();
    }
    abandoned.forEach(
        hold -> hold.done().completeExceptionally(new NotLeading("this replica led before")));
  }
}
