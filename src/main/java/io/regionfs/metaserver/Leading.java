package io.regionfs.metaserver;

import io.regionfs.metaserver.state.Replica;
import java.time.InstantSource;

/**
 * What a replica knows only while it leads, for one term: it starts from the replicated state, with
 * a fresh lease for everyone, and nothing of it outlives the term.
 */
final class Leading {
  private final long term;
  private final Proposals proposals;
  private final Members members;
  private final ClientLeases clients;

  Leading(MetadataOptions options, long term, Replica replica, ReplicatedLog log, Clocks clocks) {
    this.term = term;
    this.proposals = new Proposals(log, term, replica, clocks.wall());
    this.members =
        new Members(options, term, replica, proposals, new Leases(options.lease(), clocks.lease()));
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

  Proposals proposals() {
    return proposals;
  }

  Members members() {
    return members;
  }

  ClientLeases clients() {
    return clients;
  }

  /** Looks for leases that have run out. */
  void sweep() {
    members.expireSilent();
    clients.sweep();
  }
}
