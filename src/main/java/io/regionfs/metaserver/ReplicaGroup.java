package io.regionfs.metaserver;

import io.regionfs.proto.AdministrationReply;
import java.util.concurrent.CompletableFuture;

/**
 * The replicas that keep a log together, for those who look after them. A replica is known by its
 * number and the address where it answers calls.
 */
public interface ReplicaGroup {
  /**
   * This replica, as far as the log knows it: term, leader, voters, indices, trouble, log_bytes.
   */
  AdministrationReply status();

  /**
   * Takes in a replica, which must have been started; completes when it has caught up and votes.
   */
  CompletableFuture<Void> add(int id, String address);

  /** Fails if this would leave no majority that works. */
  CompletableFuture<Void> remove(int id);

  /** Hands leadership to the replica with this number (0: to any other). */
  CompletableFuture<Void> transfer(int id);

  /** The fingerprint of the state and the index of the last entry in it. */
  CompletableFuture<Verified> verify();

  record Verified(long index, long fingerprint) {}
}
