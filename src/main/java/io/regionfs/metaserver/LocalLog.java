package io.regionfs.metaserver;

import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.util.concurrent.CompletableFuture;

/**
 * A log of a single replica that keeps nothing: a command is applied as it is proposed, and the
 * namespace is gone with the process.
 */
public final class LocalLog implements ReplicatedLog {
  private static final CompletableFuture<Void> PASSED = CompletableFuture.completedFuture(null);

  private final Replica replica;

  public LocalLog(Replica replica) {
    this.replica = replica;
  }

  @Override
  public CompletableFuture<Reply> propose(Command command) {
    try {
      return CompletableFuture.completedFuture(replica.apply(command));
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public CompletableFuture<Void> barrier() {
    return PASSED;
  }

  @Override
  public boolean isLeader() {
    return true;
  }

  @Override
  public void close() {
    // Holds nothing.
  }
}
