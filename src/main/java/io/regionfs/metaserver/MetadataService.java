package io.regionfs.metaserver;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.regionfs.metaserver.Leading.Clocks;
import io.regionfs.metaserver.ReplicatedLog.Leadership;
import io.regionfs.metaserver.state.Changes;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import io.regionfs.rpc.RpcTransport;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers metadata calls while its replica leads: questions from the replica's state, everything
 * else through the log. A replica that does not lead answers EAGAIN and says who does, as far as it
 * knows. It answers in the transport's thread or the log's and never waits there. The log, the
 * replica, the group, the transport and the registry are the caller's to close, after this.
 */
public final class MetadataService implements RpcHandler, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MetadataService.class);

  /** Sweeps for leases that ran out, per lease. */
  private static final int SWEEPS_PER_LEASE = 10;

  private static final long TICK_MILLIS = 50;

  private final MetadataOptions options;
  private final Replica replica;
  private final ReplicatedLog log;
  private final Clocks clocks;
  private final @Nullable NodeCalls nodes;
  private final ServiceMetrics metrics;
  private final Answering answering;
  private final ScheduledExecutorService sweeper;

  @GuardedBy("this")
  private boolean closed;

  /** Null while another replica leads, or none. */
  private volatile @Nullable Leading leading;

  /**
   * A service without calls of its own: it gives no leases to caches and answers no administration.
   */
  public MetadataService(MetadataOptions options, Replica replica, ReplicatedLog log) {
    this(options, replica, log, null, null, new CompositeMeterRegistry());
  }

  /**
   * A service that tells the time by the system's clocks and looks after leases by itself.
   *
   * @param group the replicas that keep the log; null: there is no other, and none can be added
   * @param transport for calls to nodes; null: their caches get no leases
   */
  @SuppressWarnings("FutureReturnValueIgnored") // the task reports its own failures
  public MetadataService(
      MetadataOptions options,
      Replica replica,
      ReplicatedLog log,
      @Nullable ReplicaGroup group,
      @Nullable RpcTransport transport,
      MeterRegistry registry) {
    this(
        options,
        replica,
        log,
        group,
        transport,
        registry,
        new Clocks(InstantSource.system(), MetadataService::sinceBoot));
    sweeper.scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    long period = Math.max(1, options.lease().toMillis() / SWEEPS_PER_LEASE);
    sweeper.scheduleWithFixedDelay(this::expireLeases, period, period, TimeUnit.MILLISECONDS);
  }

  /**
   * A service whose leases run out by the given clock, when {@link #expireLeases} and {@link #tick}
   * are called.
   */
  MetadataService(
      MetadataOptions options,
      Replica replica,
      ReplicatedLog log,
      @Nullable ReplicaGroup group,
      @Nullable RpcTransport transport,
      MeterRegistry registry,
      Clocks clocks) {
    this.options = options;
    this.replica = replica;
    this.log = log;
    this.clocks = clocks;
    this.nodes = transport == null ? null : new NodeCalls(transport, replica);
    this.metrics = new ServiceMetrics(registry);
    this.answering = new Answering(options, replica, log, clocks.lease(), metrics);
    this.sweeper =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "metadata-leases");
              thread.setDaemon(true);
              return thread;
            });
    observe(group, registry);
    follow();
  }

  private void observe(@Nullable ReplicaGroup group, MeterRegistry registry) {
    ServiceMetrics.observe(registry, replica);
    if (group != null) {
      ServiceMetrics.observe(registry, group);
    }
    ServiceMetrics.gauge(
        registry, "leads", "1 on the replica that leads", this, s -> s.leading == null ? 0 : 1);
    ServiceMetrics.gauge(
        registry, "term", "Grows with every election", this, s -> s.log.leadership().term());
    ServiceMetrics.gauge(
        registry, "leases.held", "Leases on inodes", this, MetadataService::leases);
  }

  private double leases() {
    Leading now = leading;
    return now == null ? 0 : now.caches().leases();
  }

  /** Never set back or forward, unlike the time of day. */
  private static Instant sinceBoot() {
    return Instant.EPOCH.plusNanos(System.nanoTime());
  }

  /** What the log tells of meanwhile comes after its present state. */
  private synchronized void follow() {
    replica.listen(this::applied);
    log.listen(this::changed);
    changed(log.leadership());
  }

  private void applied(Command command, Reply reply, Changes changes) {
    Leading now = leading;
    if (now != null) {
      now.applied(command, reply, changes);
    }
  }

  private synchronized void changed(Leadership now) {
    metrics.leaderChanged();
    Leading before = leading;
    if (before != null && now.leads() && before.term() == now.term()) {
      return;
    }
    if (before != null) {
      // Closed first: nobody may find out from its absence that a reply need not wait.
      before.close();
      leading = null;
      LOG.info("No longer leads in term {}", before.term());
    }
    if (now.leads() && !closed) {
      Leading next = new Leading(options, now.term(), replica, log, nodes, clocks, metrics);
      leading = next;
      LOG.info("Leads in term {}", now.term());
      next.lookForUnsettled();
    }
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // a responder never throws
  public void handle(Request request, RpcResponder responder) {
    long start = System.nanoTime();
    CompletableFuture<Reply> reply;
    try {
      reply = answering.answer(leading, request);
    } catch (RuntimeException e) {
      responder.reply(answering.failed(request, e));
      return;
    }
    reply.whenComplete(
        (done, failure) -> {
          metrics.answered(request, start);
          responder.reply(failure == null ? done : answering.failed(request, failure));
        });
  }

  /** Ends what its lease has run out for: members, sessions. */
  void expireLeases() {
    try {
      Leading now = leading;
      if (now != null) {
        now.sweep();
      }
    } catch (RuntimeException e) {
      // An exception would end the timer, and no lease would run out any more.
      LOG.error("Could not look after the leases; trying again", e);
    }
  }

  /** Lets go on what waits for caches whose lease has run out. */
  void tick() {
    try {
      Leading now = leading;
      if (now != null) {
        now.caches().tick();
      }
    } catch (RuntimeException e) {
      // As above.
      LOG.error("Could not look after the leases of caches; trying again", e);
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      Leading last = leading;
      if (last != null) {
        last.close();
      }
      leading = null;
    }
    sweeper.shutdownNow();
    if (nodes != null) {
      nodes.close();
    }
  }
}
