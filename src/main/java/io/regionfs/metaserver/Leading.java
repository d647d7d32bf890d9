package io.regionfs.metaserver;

import io.regionfs.metaserver.state.Changes;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What a replica knows only while it leads, for one term: it starts from the replicated state, with
 * a fresh lease for everyone, and nothing of it outlives the term.
 */
final class Leading implements AutoCloseable {
  private final long term;
  private final Proposals proposals;
  private final Members members;
  private final ClientLeases clients;
  private final CacheLeases caches;
  private final @Nullable Settling settling;
  private final @Nullable LockNotices lockNotices;

  /**
   * @param nodes calls to them, borrowed; null: none can be made
   */
  Leading(
      MetadataOptions options,
      long term,
      Replica replica,
      ReplicatedLog log,
      @Nullable NodeCalls nodes,
      Clocks clocks,
      ServiceMetrics metrics) {
    this.term = term;
    this.proposals = new Proposals(log, term, replica, clocks.wall(), metrics);
    this.caches =
        new CacheLeases(
            term,
            options.cacheLease(),
            replica,
            nodes,
            clocks.lease(),
            CacheLeases.MOST_GRANTS,
            metrics);
    this.settling =
        nodes == null ? null : new Settling(replica, proposals, nodes, caches::isBeingOpened);
    this.lockNotices = nodes == null ? null : new LockNotices(term, nodes);
    Leases leases = new Leases(options.lease(), clocks.lease());
    this.members =
        new Members(options, term, replica, proposals, leases, caches, this::lookForUnsettled);
    this.clients = new ClientLeases(options.sessionLease(), replica, proposals, clocks.lease());
  }

  /**
   * @param wall the time of day, for stamps
   * @param lease must not jump: a step forward would end every lease
   */
  record Clocks(InstantSource wall, InstantSource lease) {}

  long term() {
    return term;
  }

  Members members() {
    return members;
  }

  ClientLeases clients() {
    return clients;
  }

  CacheLeases caches() {
    return caches;
  }

  /** A client's command. */
  CompletableFuture<Reply> command(Request request) {
    return caches.command(request, () -> proposals.propose(request, request.getOperation()));
  }

  /** A command was applied; the replica's lock for writing is held. */
  void applied(Command command, Reply reply, Changes changes) {
    caches.changed(command, reply, changes);
    if (lockNotices != null) {
      lockNotices.applied(changes);
    }
    if (settling != null) {
      settling.applied(command.getOperation());
    }
  }

  /** Of files whose writers are gone. */
  void lookForUnsettled() {
    if (settling != null) {
      settling.look();
    }
  }

  /** Looks for leases that have run out. */
  void sweep() {
    members.expireSilent();
    clients.sweep();
  }

  /** What was not answered is not answered here any more. Does not wait. */
  @Override
  public void close() {
    caches.close();
    if (lockNotices != null) {
      lockNotices.close();
    }
    if (settling != null) {
      settling.close();
    }
  }
}
