package io.regionfs.metaserver;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.meta.Messages;
import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Replies;
import io.regionfs.model.Errno;
import io.regionfs.proto.Command;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One leader's commands: stamped with a time, later than every one before, and with the number for
 * a new inode, and handed to the log in the order of their stamps. The last time and number are
 * those of the state at the start of the term; the log takes no stamp of an earlier term.
 */
final class Proposals {
  private static final Logger LOG = LoggerFactory.getLogger(Proposals.class);

  private final ReplicatedLog log;
  private final long term;
  private final Replica replica;
  private final InstantSource clock;
  private final ServiceMetrics metrics;

  @GuardedBy("this")
  private final OwedOpens owed = new OwedOpens();

  @GuardedBy("this")
  private Instant lastStamp;

  @GuardedBy("this")
  private long lastInode;

  /**
   * @param term in which this replica leads, having applied all of the terms before
   */
  Proposals(
      ReplicatedLog log, long term, Replica replica, InstantSource clock, ServiceMetrics metrics) {
    this.metrics = metrics;
    this.log = log;
    this.term = term;
    this.replica = replica;
    this.clock = clock;
    this.lastInode = replica.read(Namespace::lastInode);
    this.lastStamp = Instant.EPOCH.plusNanos(replica.read(Namespace::lastStamp));
  }

  /**
   * A client's command. ENOSPC if the log is full, it was not carried out before and cannot wait in
   * {@link OwedOpens}; fails with {@link LogFailure} if its fate is unknown.
   */
  CompletableFuture<Reply> propose(Request request, Operation operation) {
    Command.Builder command =
        Command.newBuilder()
            .setClientId(request.getClientId())
            .setSequence(request.getSequence())
            .setAcknowledged(request.getAcknowledged())
            .setOperation(operation);
    return propose(command)
        .exceptionallyCompose(
            failure ->
                cause(failure) instanceof LogFull full
                    ? answered(request, operation, full)
                    : CompletableFuture.failedFuture(logFailure(failure)));
  }

  /** A command of the service itself; fails also with {@link LogFull}. */
  CompletableFuture<Reply> propose(Operation operation) {
    return propose(Command.newBuilder().setOperation(operation))
        .exceptionallyCompose(failure -> CompletableFuture.failedFuture(logFailure(failure)));
  }

  /**
   * A command of the service itself, if the condition holds as it takes its place after all that
   * were proposed before. What comes of it is only logged.
   *
   * @return whether it was proposed
   */
  @SuppressWarnings("FutureReturnValueIgnored") // logged
  synchronized boolean proposeIf(Operation operation, BooleanSupplier condition) {
    if (!condition.getAsBoolean()) {
      return false;
    }
    propose(operation)
        .exceptionally(
            failure -> {
              LOG.debug("{} was not carried out", operation.getOperationCase(), failure);
              return Replies.DONE;
            });
    return true;
  }

  private synchronized CompletableFuture<Reply> propose(Command.Builder command) {
    Iterator<Operation> due = owed.all();
    while (due.hasNext() && isTaken(send(Command.newBuilder().setOperation(due.next())))) {
      due.remove();
    }
    return send(command);
  }

  private static boolean isTaken(CompletableFuture<Reply> outcome) {
    return !outcome.isCompletedExceptionally();
  }

  @GuardedBy("this")
  private CompletableFuture<Reply> send(Command.Builder command) {
    Instant now = clock.instant();
    lastStamp = now.isAfter(lastStamp) ? now : lastStamp.plusNanos(1);
    command.setStamp(Messages.time(lastStamp));
    if (command.getOperation().hasCreate()) {
      lastInode++;
      command.setNewInode(lastInode);
    }
    long start = System.nanoTime();
    return metrics.timeCommit(log.propose(command.build(), term), start);
  }

  /** There is no room for the command, but it may be a repeated one, or one that can wait. */
  private CompletableFuture<Reply> answered(Request request, Operation operation, LogFull full) {
    return barrier(log)
        .thenApply(
            passed -> {
              Reply answer =
                  replica.<@Nullable Reply>read(
                      namespace ->
                          namespace.answered(request.getClientId(), request.getSequence()));
              answer = answer != null ? answer : owed(operation);
              return answer != null
                  ? answer
                  : Replies.refusal(Errno.ENOSPC, "no change is taken: " + full.getMessage());
            });
  }

  private synchronized @Nullable Reply owed(Operation operation) {
    if (!OwedOpens.covers(operation)) {
      return null;
    }
    Reply reply = Replies.NOTHING_REMOVED;
    if (operation.hasOpen()) {
      Query attributes = Query.newBuilder().setAttributesOf(operation.getOpen().getInode()).build();
      reply = replica.read(namespace -> namespace.query(attributes));
    }
    return reply.getErrno() != 0 || owed.owe(operation) ? reply : null;
  }

  /** The log's barrier; fails with {@link LogFailure} or {@link NotLeading}. */
  static CompletableFuture<Void> barrier(ReplicatedLog log) {
    return log.barrier()
        .exceptionallyCompose(failure -> CompletableFuture.failedFuture(logFailure(failure)));
  }

  private static RuntimeException logFailure(Throwable failure) {
    Throwable cause = cause(failure);
    return cause instanceof NotLeading || cause instanceof LogFull
        ? (RuntimeException) cause
        : new LogFailure(cause);
  }

  static Throwable cause(Throwable failure) {
    @Nullable Throwable cause = failure.getCause();
    return failure instanceof CompletionException && cause != null ? cause : failure;
  }
}
