package io.regionfs.metaserver;

import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.util.concurrent.CompletableFuture;

/**
 * The order of commands. What a proposal's future says was done is never undone. Safe for use by
 * many threads; no method waits.
 */
public interface ReplicatedLog extends AutoCloseable {
  /**
   * Appends the command and applies it; completes with the namespace's reply. Commands proposed one
   * after the other by one thread are applied in that order. Fails if this replica does not lead,
   * or if its fate is unknown: then it may be proposed again, as its client and sequence number
   * make it count once.
   */
  CompletableFuture<Reply> propose(Command command);

  /**
   * Completes once the replica has applied everything that was answered anywhere before this call,
   * so that reading it then is linearizable.
   */
  CompletableFuture<Void> barrier();

  /** Does this replica answer clients? */
  boolean isLeader();

  @Override
  void close();
}
