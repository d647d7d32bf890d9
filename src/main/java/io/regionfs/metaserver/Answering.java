package io.regionfs.metaserver;

import io.regionfs.meta.MetadataProtocol;
import io.regionfs.metaserver.ReplicatedLog.Leadership;
import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Replies;
import io.regionfs.model.Errno;
import io.regionfs.proto.Membership;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.proto.ServiceReport;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides what a call is answered with: whom it is passed on to, what is refused, and what a caller
 * is told when answering failed. Safe for use by many threads; never waits.
 */
final class Answering {
  private static final Logger LOG = LoggerFactory.getLogger(Answering.class);

  private final MetadataOptions options;
  private final Replica replica;
  private final ReplicatedLog log;
  private final InstantSource clock;
  private final ServiceMetrics metrics;
  private final Instant started;
  private final LongAdder commands = new LongAdder();
  private final LongAdder queries = new LongAdder();

  /**
   * @param clock must not jump; tells for how long the service is up
   */
  Answering(
      MetadataOptions options,
      Replica replica,
      ReplicatedLog log,
      InstantSource clock,
      ServiceMetrics metrics) {
    this.options = options;
    this.replica = replica;
    this.log = log;
    this.clock = clock;
    this.metrics = metrics;
    this.started = clock.instant();
  }

  /**
   * @param now null: this replica does not lead
   */
  CompletableFuture<Reply> answer(@Nullable Leading now, Request request) {
    // A caller of before there were versions sends none.
    if (request.getVersion() != MetadataProtocol.VERSION && request.getVersion() != 0) {
      return refuse(Errno.EPROTONOSUPPORT, MetadataProtocol.refusalOf(request.getVersion()));
    }
    if (now == null) {
      return CompletableFuture.completedFuture(askAnother("this replica does not lead"));
    }
    now.clients().heard(request.getClientId());
    return switch (request.getCallCase()) {
      case PING -> CompletableFuture.completedFuture(Replies.DONE);
      case QUERY -> query(now, request);
      case OPERATION -> operation(now, request);
      case MEMBERSHIP -> membership(now, request, request.getMembership());
      default -> refuse(Errno.EINVAL, "not a call for the metadata service");
    };
  }

  private static CompletableFuture<Reply> refuse(Errno errno, String detail) {
    return CompletableFuture.completedFuture(Replies.refusal(errno, detail));
  }

  private CompletableFuture<Reply> query(Leading now, Request request) {
    queries.increment();
    CompletableFuture<Void> barrier =
        metrics.timeBarrier(Proposals.barrier(log), System.nanoTime());
    return switch (request.getQuery().getQueryCase()) {
      case SPACE -> barrier.thenApply(passed -> now.members().space());
      case NODES -> barrier.thenApply(passed -> now.members().list());
      case SERVICE -> barrier.thenApply(passed -> report());
      default -> barrier.thenCompose(passed -> now.caches().answer(request));
    };
  }

  private CompletableFuture<Reply> operation(Leading now, Request request) {
    Operation operation = request.getOperation();
    switch (operation.getOperationCase()) {
      case ADD_NODE, EXPIRE_NODE -> {
        return refuse(Errno.EINVAL, "members come and go by membership calls");
      }
      case END_SESSIONS -> {
        return refuse(Errno.EINVAL, "sessions are ended by the service");
      }
      default -> {}
    }
    if (request.getClientId() == 0 || request.getSequence() == 0) {
      return refuse(Errno.EINVAL, "a command needs the id of its client and a number");
    }
    commands.increment();
    return now.command(request);
  }

  private CompletableFuture<Reply> membership(Leading now, Request request, Membership membership) {
    return switch (membership.getMembershipCase()) {
      case JOIN -> now.members().join(request, membership.getJoin());
      // Behind a barrier, so that no replica that was deposed before the call renews a lease.
      case RENEW ->
          Proposals.barrier(log).thenApply(passed -> now.members().renew(membership.getRenew()));
      case LEAVE -> now.members().leave(membership.getLeave());
      case MEMBERSHIP_NOT_SET -> refuse(Errno.EINVAL, "unknown membership call");
    };
  }

  private Reply report() {
    ServiceReport.Builder report =
        ServiceReport.newBuilder()
            .setClusterId(Members.clusterId(options, replica))
            .setLeader(options.name())
            .setInodes(replica.read(namespace -> namespace.inodes().count()))
            .setLocks(replica.read(namespace -> namespace.locks().total()))
            .setCommands(commands.sum())
            .setQueries(queries.sum())
            .setUptimeSeconds(Duration.between(started, clock.instant()).toSeconds());
    return Reply.newBuilder().setService(report).build();
  }

  /** A failure that is no answer of the namespace: a bug, or a log that lost its leadership. */
  Reply failed(Request request, Throwable failure) {
    Throwable cause = Proposals.cause(failure);
    if (cause instanceof NotLeading) {
      return askAnother(String.valueOf(cause.getMessage()));
    }
    if (cause instanceof LogFull) {
      return Replies.refusal(Errno.ENOSPC, "no change is taken: " + cause.getMessage());
    }
    if (cause instanceof LogFailure) {
      LOG.info("A client has to repeat a command: {}", cause.getMessage());
      return askAnother(String.valueOf(cause.getMessage()));
    }
    LOG.error("Could not answer {}", request.getCallCase(), cause);
    return Replies.refusal(Errno.EIO, "the metadata service failed: " + cause);
  }

  private Reply askAnother(String detail) {
    Leadership known = log.leadership();
    return Replies.refusal(Errno.EAGAIN, detail).toBuilder()
        .setLeadership(
            io.regionfs.proto.Leadership.newBuilder()
                .setTerm(known.term())
                .setLeader(known.leader()))
        .build();
  }
}
