package io.regionfs.metaserver;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.proto.Renew;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The leases of the living nodes and what they last said of themselves. Known to the leader alone:
 * a new leader gives every member a fresh lease.
 */
final class Leases {
  private final Duration term;
  private final InstantSource clock;

  @GuardedBy("this")
  private final Map<Integer, Lease> byNode = new HashMap<>();

  @GuardedBy("this")
  private Instant lastSweep;

  private record Lease(Instant end, Renew load) {}

  /**
   * @param clock must not jump: a step forward would end every lease
   */
  Leases(Duration term, InstantSource clock) {
    this.term = term;
    this.clock = clock;
    this.lastSweep = clock.instant();
  }

  Duration term() {
    return term;
  }

  synchronized void grant(int node) {
    Lease known = byNode.get(node);
    Renew load = known == null ? Renew.getDefaultInstance() : known.load;
    byNode.put(node, new Lease(end(), load));
  }

  private Instant end() {
    return clock.instant().plus(term);
  }

  /** False if the node has no lease. */
  synchronized boolean renew(Renew renew) {
    return byNode.computeIfPresent(renew.getNode(), (node, old) -> new Lease(end(), renew)) != null;
  }

  synchronized void end(int node) {
    byNode.remove(node);
  }

  /** What the node last said of itself; null if it has no lease. */
  synchronized @Nullable Renew load(int node) {
    Lease lease = byNode.get(node);
    return lease == null ? null : lease.load;
  }

  /** Of all nodes with a lease. */
  synchronized Collection<Renew> loads() {
    return byNode.values().stream().map(Lease::load).toList();
  }

  /**
   * Ends the leases that have run out and returns their nodes. If this process was stopped for a
   * while, renewals may be waiting that it has not read: then every lease starts anew.
   */
  synchronized List<Integer> sweep() {
    Instant now = clock.instant();
    boolean slept = Duration.between(lastSweep, now).compareTo(term.dividedBy(2)) > 0;
    lastSweep = now;
    if (slept) {
      byNode.replaceAll((node, lease) -> new Lease(now.plus(term), lease.load));
      return List.of();
    }
    List<Integer> expired = new ArrayList<>();
    byNode.forEach(
        (node, lease) -> {
          if (lease.end.isBefore(now)) {
            expired.add(node);
          }
        });
    expired.sort(null);
    byNode.keySet().removeAll(expired);
    return expired;
  }
}
