package io.regionfs.rpc.darpc;

import io.regionfs.proto.Reply;
import io.regionfs.rpc.RpcException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A request that was posted, until its reply, the loss of its connection or its deadline. */
final class PendingCall {
  private final int ticket;
  private final @Nullable Thread caller;
  private volatile @Nullable Reply reply;
  private volatile @Nullable String failure;

  /** Without a caller it is a ping, which nobody waits for. */
  PendingCall(int ticket, @Nullable Thread caller) {
    this.ticket = ticket;
    this.caller = caller;
  }

  int ticket() {
    return ticket;
  }

  boolean isPing() {
    return caller == null;
  }

  boolean isDone() {
    return reply != null || failure != null;
  }

  void complete(Reply received) {
    reply = received;
    wake();
  }

  /** Its connection was lost: the peer may have carried it out. */
  void fail(String reason) {
    failure = reason;
    wake();
  }

  /** Has the caller look again whether it is done or should drive the connection. */
  void wake() {
    if (caller != null) {
      LockSupport.unpark(caller);
    }
  }

  /** The outcome; called when done, or when the deadline has passed. */
  Reply result() throws RpcException {
    Reply received = reply;
    if (received != null) {
      return received;
    }
    String reason = failure;
    throw new RpcException(
        RpcException.Outcome.UNKNOWN, reason != null ? reason : "no reply within the deadline");
  }
}
