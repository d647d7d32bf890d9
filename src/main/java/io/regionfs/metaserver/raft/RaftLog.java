package io.regionfs.metaserver.raft;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.metaserver.LogFull;
import io.regionfs.metaserver.ReplicaGroup;
import io.regionfs.metaserver.ReplicatedLog;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.AdministrationReply;
import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * A log kept by one or several replicas through SOFAJRaft. It survives the engine's own failures:
 * then the engine is opened again from what is on disk. Safe for use by many threads.
 */
public final class RaftLog implements ReplicatedLog, ReplicaGroup {
  private final Lives lives;
  private final Leaders leaders;
  private final Appender appender;
  private final Barriers barriers;
  private final Membership membership;

  private RaftLog(RaftOptions options, Replica replica, LongSupplier freeBytes) {
    leaders = new Leaders(options);
    appender = new Appender();
    barriers = new Barriers(2 * options.electionTimeout().toMillis());
    lives = new Lives(options, replica, leaders, appender, barriers, freeBytes);
    membership = new Membership(options, lives, leaders);
  }

  /**
   * Opens what the directory holds, or founds or joins a group. The last snapshot is in the replica
   * when it returns; later entries follow as soon as a leader is known.
   *
   * @param replica empty; the caller's, to be read by all and changed by nobody else
   * @throws CorruptLog if what is in the directory is damaged
   * @throws IOException if the directory or the port cannot be used
   */
  @MustBeClosed
  public static RaftLog open(RaftOptions options, Replica replica) throws IOException {
    return open(options, replica, leadership -> {});
  }

  /**
   * @param listener as with {@link #listen}, so that it misses nothing
   */
  @MustBeClosed
  public static RaftLog open(RaftOptions options, Replica replica, Consumer<Leadership> listener)
      throws IOException {
    return open(options, replica, listener, options.directory().toFile()::getUsableSpace);
  }

  @MustBeClosed
  static RaftLog open(
      RaftOptions options, Replica replica, Consumer<Leadership> listener, LongSupplier freeBytes)
      throws IOException {
    RaftLog log = new RaftLog(options, replica, freeBytes);
    log.listen(listener);
    try {
      log.lives.begin();
      return log;
    } catch (IOException | RuntimeException e) {
      log.close();
      throw e;
    }
  }

  @Override
  public CompletableFuture<Reply> propose(Command command, long term) {
    Leadership now = leaders.known();
    if (!now.leads() || now.term() != term) {
      return CompletableFuture.failedFuture(
          new NotLeading("does not lead in term " + term + ": " + now));
    }
    if (lives.isFull()) {
      return CompletableFuture.failedFuture(new LogFull(lives.trouble()));
    }
    return appender.propose(command, term);
  }

  @Override
  public CompletableFuture<Void> barrier() {
    Leadership before = leaders.known();
    if (!before.leads()) {
      return CompletableFuture.failedFuture(new NotLeading("does not lead: " + before));
    }
    if (lives.isAlone()) {
      return CompletableFuture.completedFuture(null);
    }
    return barriers
        .pass()
        .thenAccept(
            passed -> {
              // The engine would also ask another leader.
              if (!leaders.known().equals(before)) {
                throw new NotLeading("does not lead any more: " + leaders.known());
              }
            });
  }

  @Override
  public Leadership leadership() {
    return leaders.known();
  }

  @Override
  public void listen(Consumer<Leadership> listener) {
    leaders.listen(listener);
  }

  /** For measurements. */
  public TakenSnapshot lastSnapshot() {
    return lives.lastSnapshot();
  }

  /** Takes a snapshot now; completes when it is on disk. */
  public CompletableFuture<Void> snapshot() {
    return lives.snapshot();
  }

  @Override
  public AdministrationReply status() {
    return membership.status();
  }

  @Override
  public CompletableFuture<Void> add(int id, String address) {
    return membership.add(id, address);
  }

  @Override
  public CompletableFuture<Void> remove(int id) {
    return membership.remove(id);
  }

  @Override
  public CompletableFuture<Void> transfer(int id) {
    return membership.transfer(id);
  }

  @Override
  public CompletableFuture<Verified> verify() {
    return lives.verify();
  }

  Lives lives() {
    return lives;
  }

  @Override
  public void close() {
    lives.close();
  }
}
