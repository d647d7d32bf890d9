package io.regionfs.metaserver;

import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A log of a single replica that keeps nothing: a command is applied as it is proposed, and the
 * namespace is gone with the process. For tests and measurements.
 */
public final class LocalLog implements ReplicatedLog {
  private static final CompletableFuture<Void> PASSED = CompletableFuture.completedFuture(null);
  private static final Leadership LEADS = new Leadership(true, 1, "");

  private final Replica replica;

  public LocalLog(Replica replica) {
    this.replica = replica;
  }

  @Override
  public CompletableFuture<Reply> propose(Command command, long term) {
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
  public Leadership leadership() {
    return LEADS;
  }

  @Override
  public void listen(Consumer<Leadership> listener) {
    // It leads for ever.
  }

  @Override
  public void close() {
    // Holds nothing.
  }
}
