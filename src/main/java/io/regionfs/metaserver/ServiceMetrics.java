package io.regionfs.metaserver;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Nodes;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.AdministrationReply;
import io.regionfs.proto.Membership.MembershipCase;
import io.regionfs.proto.Operation.OperationCase;
import io.regionfs.proto.Query.QueryCase;
import io.regionfs.proto.Request;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a replica counts and measures, as {@code regionfs_meta_…}. Meters of calls are made
 * beforehand, so that a call costs two looks at the clock.
 */
final class ServiceMetrics {
  private static final String PREFIX = "regionfs.meta.";

  private final Map<QueryCase, Timer> queries = new EnumMap<>(QueryCase.class);
  private final Map<OperationCase, Timer> operations = new EnumMap<>(OperationCase.class);
  private final Map<MembershipCase, Timer> memberships = new EnumMap<>(MembershipCase.class);
  private final Timer others;
  private final Timer commits;
  private final Timer barriers;
  private final Timer recalls;
  private final Counter grants;
  private final Counter holds;
  private final Counter leaderChanges;

  ServiceMetrics(MeterRegistry registry) {
    for (QueryCase kind : QueryCase.values()) {
      queries.put(kind, calls(registry, kind.name()));
    }
    for (OperationCase kind : OperationCase.values()) {
      operations.put(kind, calls(registry, kind.name()));
    }
    for (MembershipCase kind : MembershipCase.values()) {
      memberships.put(kind, calls(registry, kind.name()));
    }
    others = calls(registry, "other");
    commits = timer(registry, "commits", "From proposing a command until it is applied");
    barriers = timer(registry, "barriers", "Read barriers, as their callers wait for them");
    recalls = timer(registry, "recalls", "Recalls of leases that were answered");
    grants = counter(registry, "leases.granted", "Leases on inodes given to nodes");
    holds = counter(registry, "holds", "Changes that had to wait for caches");
    leaderChanges = counter(registry, "leader.changes", "Changes of who leads, as seen here");
  }

  private static Timer calls(MeterRegistry registry, String kind) {
    return Timer.builder(PREFIX + "calls")
        .description("Calls by kind, from arrival to answer")
        .tag("kind", kind.toLowerCase(Locale.ROOT))
        .register(registry);
  }

  private static Timer timer(MeterRegistry registry, String name, String description) {
    return Timer.builder(PREFIX + name).description(description).register(registry);
  }

  private static Counter counter(MeterRegistry registry, String name, String description) {
    return Counter.builder(PREFIX + name).description(description).register(registry);
  }

  /** What the replica's state has, whoever leads. */
  static void observe(MeterRegistry registry, Replica replica) {
    gauge(registry, "inodes", "Inodes", replica, r -> r.read(n -> (double) n.inodes().count()));
    gauge(registry, "nodes", "Living nodes", replica, r -> r.read(ServiceMetrics::livingNodes));
    gauge(
        registry,
        "locks",
        "Locked ranges of files, and requests that wait for theirs",
        replica,
        r -> r.read(n -> (double) n.locks().total()));
    gauge(
        registry,
        "sessions",
        "Clients whose answers are kept",
        replica,
        r -> r.read(n -> (double) n.clients().size()));
  }

  private static double livingNodes(Namespace namespace) {
    return namespace.nodes().all().stream().filter(Nodes.Member::isLiving).count();
  }

  /** How far the log is. */
  static void observe(MeterRegistry registry, ReplicaGroup group) {
    statusGauge(registry, group, "log.applied", AdministrationReply::getAppliedIndex);
    statusGauge(registry, group, "log.last", AdministrationReply::getLastLogIndex);
    statusGauge(registry, group, "log.snapshot", AdministrationReply::getSnapshotIndex);
    statusGauge(registry, group, "log.bytes", AdministrationReply::getLogBytes);
    statusGauge(registry, group, "voters", AdministrationReply::getVotersCount);
    statusGauge(registry, group, "trouble", status -> status.getTrouble().isEmpty() ? 0 : 1);
  }

  private static void statusGauge(
      MeterRegistry registry,
      ReplicaGroup group,
      String name,
      ToDoubleFunction<AdministrationReply> value) {
    gauge(registry, name, "As in status", group, g -> value.applyAsDouble(g.status()));
  }

  static <T> void gauge(
      MeterRegistry registry, String name, String description, T of, ToDoubleFunction<T> value) {
    Gauge.builder(PREFIX + name, of, value)
        .description(description)
        .strongReference(true)
        .register(registry);
  }

  /** A call was answered. */
  void answered(Request request, long startNanos) {
    @Nullable Timer timer =
        switch (request.getCallCase()) {
          case QUERY -> queries.get(request.getQuery().getQueryCase());
          case OPERATION -> operations.get(request.getOperation().getOperationCase());
          case MEMBERSHIP -> memberships.get(request.getMembership().getMembershipCase());
          default -> others;
        };
    record(timer == null ? others : timer, startNanos);
  }

  private static void record(Timer timer, long startNanos) {
    timer.record(System.nanoTime() - startNanos, TimeUnit.NANOSECONDS);
  }

  <T> CompletableFuture<T> timeCommit(CompletableFuture<T> commit, long startNanos) {
    return commit.whenComplete((reply, failure) -> record(commits, startNanos));
  }

  CompletableFuture<Void> timeBarrier(CompletableFuture<Void> barrier, long startNanos) {
    if (barrier.isDone()) {
      return barrier; // none was needed
    }
    return barrier.whenComplete((passed, failure) -> record(barriers, startNanos));
  }

  void recalled(long startNanos) {
    record(recalls, startNanos);
  }

  void granted(int inodes) {
    grants.increment(inodes);
  }

  void held() {
    holds.increment();
  }

  void leaderChanged() {
    leaderChanges.increment();
  }
}
