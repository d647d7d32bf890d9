package io.regionfs.metaserver;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.meta.Messages;
import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.Command;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;

/**
 * Stamps commands with a time, later than every one before, and with the number for a new inode,
 * and hands them to the log in the order of their stamps.
 */
final class Proposals {
  private final ReplicatedLog log;
  private final InstantSource clock;

  @GuardedBy("this")
  private Instant lastStamp = Instant.MIN;

  @GuardedBy("this")
  private long lastInode;

  Proposals(ReplicatedLog log, Replica replica, InstantSource clock) {
    this.log = log;
    this.clock = clock;
    this.lastInode = replica.read(Namespace::lastInode);
  }

  CompletableFuture<Reply> propose(Request request, Operation operation) {
    return propose(
        Command.newBuilder()
            .setClientId(request.getClientId())
            .setSequence(request.getSequence())
            .setAcknowledged(request.getAcknowledged())
            .setOperation(operation));
  }

  /** A command of the service itself. */
  CompletableFuture<Reply> propose(Operation operation) {
    return propose(Command.newBuilder().setOperation(operation));
  }

  private synchronized CompletableFuture<Reply> propose(Command.Builder command) {
    Instant now = clock.instant();
    lastStamp = now.isAfter(lastStamp) ? now : lastStamp.plusNanos(1);
    command.setStamp(Messages.time(lastStamp));
    if (command.getOperation().hasCreate()) {
      lastInode++;
      command.setNewInode(lastInode);
    }
    return log.propose(command.build(), log.leadership().term());
  }
}
