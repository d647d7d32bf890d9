package io.regionfs.metaserver;

import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A log whose leadership and failures the test decides; applies at once, or when told to. */
final class ElectedLog implements ReplicatedLog {
  private final Replica replica;
  private final List<Consumer<Leadership>> listeners = new ArrayList<>();
  private final List<Runnable> waiting = new ArrayList<>();
  private volatile Leadership leadership = new Leadership(false, 0, "");
  private @Nullable RuntimeException failure;
  private boolean applies = true;
  private boolean appliesBeforeFailing;

  ElectedLog(Replica replica) {
    this.replica = replica;
  }

  synchronized void elect(boolean leads, long term, String leader) {
    leadership = new Leadership(leads, term, leader);
    listeners.forEach(listener -> listener.accept(leadership));
  }

  /** From now on proposals fail; null: they don't. */
  void failWith(@Nullable RuntimeException with, boolean afterApplying) {
    failure = with;
    appliesBeforeFailing = afterApplying;
  }

  /** Whether a command is applied as it is proposed, else by {@link #applyAll}. */
  void applyAtOnce(boolean atOnce) {
    applies = atOnce;
  }

  void applyAll() {
    List<Runnable> now = List.copyOf(waiting);
    waiting.clear();
    now.forEach(Runnable::run);
  }

  @Override
  public synchronized CompletableFuture<Reply> propose(Command command, long term) {
    if (!leadership.leads() || leadership.term() != term) {
      return CompletableFuture.failedFuture(new NotLeading("term " + term + " is over"));
    }
    if (failure != null) {
      if (appliesBeforeFailing) {
        replica.apply(command);
      }
      return CompletableFuture.failedFuture(failure);
    }
    if (applies) {
      return CompletableFuture.completedFuture(replica.apply(command));
    }
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    waiting.add(() -> reply.complete(replica.apply(command)));
    return reply;
  }

  @Override
  public CompletableFuture<Void> barrier() {
    return leadership.leads()
        ? CompletableFuture.completedFuture(null)
        : CompletableFuture.failedFuture(new NotLeading("no leader here"));
  }

  @Override
  public Leadership leadership() {
    return leadership;
  }

  @Override
  public void listen(Consumer<Leadership> listener) {
    listeners.add(listener);
  }

  @Override
  public void close() {}
}
