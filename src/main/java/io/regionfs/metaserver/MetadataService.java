package io.regionfs.metaserver;

import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Replies;
import io.regionfs.model.Errno;
import io.regionfs.proto.Membership;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.proto.ServiceReport;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers metadata calls: questions from the replica's state, everything else through the log. It
 * answers in the transport's thread and never waits there. The log and the replica are the caller's
 * to close, after this.
 */
public final class MetadataService implements RpcHandler, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MetadataService.class);

  /** Sweeps for leases that ran out, per lease. */
  private static final int SWEEPS_PER_LEASE = 10;

  private final MetadataOptions options;
  private final Replica replica;
  private final ReplicatedLog log;
  private final InstantSource leaseClock;
  private final Instant started;
  private final Proposals proposals;
  private final Members members;
  private final LongAdder commands = new LongAdder();
  private final LongAdder queries = new LongAdder();
  private final ScheduledExecutorService sweeper;

  /** A service that tells the time by the system's clocks and looks after leases by itself. */
  @SuppressWarnings("FutureReturnValueIgnored") // the task reports its own failures
  public MetadataService(MetadataOptions options, Replica replica, ReplicatedLog log) {
    this(options, replica, log, InstantSource.system(), MetadataService::sinceBoot);
    long period = Math.max(1, options.lease().toMillis() / SWEEPS_PER_LEASE);
    sweeper.scheduleWithFixedDelay(this::expireLeases, period, period, TimeUnit.MILLISECONDS);
  }

  /** A service whose leases run out by the given clock, when {@link #expireLeases} is called. */
  MetadataService(
      MetadataOptions options,
      Replica replica,
      ReplicatedLog log,
      InstantSource wallClock,
      InstantSource leaseClock) {
    this.options = options;
    this.replica = replica;
    this.log = log;
    this.leaseClock = leaseClock;
    this.started = leaseClock.instant();
    this.proposals = new Proposals(log, replica, wallClock);
    Leases leases = new Leases(options.lease(), leaseClock);
    this.members = new Members(options, replica, proposals, leases);
    this.sweeper =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "metadata-leases");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Never set back or forward, unlike the time of day. */
  private static Instant sinceBoot() {
    return Instant.EPOCH.plusNanos(System.nanoTime());
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // a responder never throws
  public void handle(Request request, RpcResponder responder) {
    CompletableFuture<Reply> reply;
    try {
      reply = answer(request);
    } catch (RuntimeException e) {
      responder.reply(failed(request, e));
      return;
    }
    reply.whenComplete(
        (done, failure) -> responder.reply(failure == null ? done : failed(request, failure)));
  }

  /** A failure that is no answer of the namespace: a bug, or a log that lost its leadership. */
  private Reply failed(Request request, Throwable failure) {
    if (!log.leadership().leads()) {
      return notLeader();
    }
    Throwable cause = failure instanceof CompletionException c ? cause(c) : failure;
    LOG.error("Could not answer {}", request.getCallCase(), cause);
    return Replies.refusal(Errno.EIO, "the metadata service failed: " + cause);
  }

  private static Throwable cause(CompletionException failure) {
    @Nullable Throwable cause = failure.getCause();
    return cause == null ? failure : cause;
  }

  private static Reply notLeader() {
    return Replies.refusal(Errno.EAGAIN, "this replica does not lead");
  }

  private CompletableFuture<Reply> answer(Request request) {
    if (!log.leadership().leads()) {
      return CompletableFuture.completedFuture(notLeader());
    }
    return switch (request.getCallCase()) {
      case PING -> CompletableFuture.completedFuture(Replies.DONE);
      case QUERY -> query(request.getQuery());
      case OPERATION -> operation(request);
      case MEMBERSHIP -> membership(request, request.getMembership());
      default -> refuse("not a call for the metadata service");
    };
  }

  private static CompletableFuture<Reply> refuse(String detail) {
    return CompletableFuture.completedFuture(Replies.refusal(Errno.EINVAL, detail));
  }

  private CompletableFuture<Reply> query(Query query) {
    queries.increment();
    return log.barrier().thenApply(passed -> queried(query));
  }

  private Reply queried(Query query) {
    return switch (query.getQueryCase()) {
      case SPACE -> members.space();
      case NODES -> members.list();
      case SERVICE -> report();
      default -> replica.read(namespace -> namespace.query(query));
    };
  }

  private CompletableFuture<Reply> operation(Request request) {
    Operation operation = request.getOperation();
    if (operation.hasAddNode() || operation.hasExpireNode()) {
      return refuse("members come and go by membership calls");
    }
    if (request.getClientId() == 0 || request.getSequence() == 0) {
      return refuse("a command needs the id of its client and a number");
    }
    commands.increment();
    return proposals.propose(request, operation);
  }

  private CompletableFuture<Reply> membership(Request request, Membership membership) {
    return switch (membership.getMembershipCase()) {
      case JOIN -> members.join(request, membership.getJoin());
      case RENEW -> log.barrier().thenApply(passed -> members.renew(membership.getRenew()));
      case LEAVE -> members.leave(membership.getLeave());
      case MEMBERSHIP_NOT_SET -> refuse("unknown membership call");
    };
  }

  private Reply report() {
    ServiceReport.Builder report =
        ServiceReport.newBuilder()
            .setClusterId(options.clusterId())
            .setLeader(options.name())
            .setInodes(replica.read(namespace -> namespace.inodes().count()))
            .setCommands(commands.sum())
            .setQueries(queries.sum())
            .setUptimeSeconds(Duration.between(started, leaseClock.instant()).toSeconds());
    return Reply.newBuilder().setService(report).build();
  }

  /** Ends the membership of nodes whose lease has run out. */
  void expireLeases() {
    try {
      if (log.leadership().leads()) {
        members.expireSilent();
      }
    } catch (RuntimeException e) {
      // An exception would end the timer, and no lease would run out any more.
      LOG.error("Could not look after the leases; trying again", e);
    }
  }

  @Override
  public void close() {
    sweeper.shutdownNow();
  }
}
