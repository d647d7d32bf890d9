package io.regionfs.metaserver;

import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * The order of commands. What a proposal's future says was done is never undone. Safe for use by
 * many threads; no method waits.
 */
public interface ReplicatedLog extends AutoCloseable {
  /**
   * Appends the command and applies it; completes with the namespace's reply. Commands proposed one
   * after the other by one thread are applied in that order. Fails with {@link NotLeading} if it
   * was certainly not appended, with {@link LogFull} if neither it was nor can be for now, and with
   * another exception if its fate is unknown: then it may be proposed again, as its client and
   * sequence number make it count once.
   *
   * @param term in which the command was stamped; it fails if that is over
   */
  CompletableFuture<Reply> propose(Command command, long term);

  /**
   * Completes once the replica has applied everything that was answered anywhere before this call,
   * so that reading it then is linearizable. Fails if this replica does not lead.
   */
  CompletableFuture<Void> barrier();

  /** What this replica knows of who leads. */
  Leadership leadership();

  /**
   * Tells of every change from now on, in order, in a thread of the log that must not be held up.
   * Called once, before the log is used.
   */
  void listen(Consumer<Leadership> listener);

  @Override
  void close();

  /**
   * @param leads this replica answers clients; it has applied every command of earlier terms
   * @param term grows with every change of the leader
   * @param leader where the leader answers calls, IP:PORT; empty if not known
   */
  record Leadership(boolean leads, long term, String leader) {}

  /** The command was not appended, as another replica leads or none does. */
  final class NotLeading extends RuntimeException {
    public NotLeading(String detail) {
      super(detail);
    }
  }
}
