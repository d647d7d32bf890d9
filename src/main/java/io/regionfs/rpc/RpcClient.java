package io.regionfs.rpc;

import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Calls to one peer. Safe for use by many threads; connects on demand and again after a loss. */
public interface RpcClient extends AutoCloseable {
  /**
   * Sends the request and waits for its reply. An error of the peer is a reply (its errno), not an
   * exception.
   *
   * @throws RpcException if no reply came within the deadline, or the connection was lost or could
   *     not be made
   * @throws InterruptedException if the calling thread was interrupted while waiting; the outcome
   *     is unknown
   */
  default Reply call(Request request, Duration deadline) throws RpcException, InterruptedException {
    return call(request, deadline, () -> false);
  }

  /**
   * As above, but the caller may lose interest while it waits.
   *
   * @param abandoned asked now and then by the waiting thread, several times a second; must not
   *     wait. Once it says true the call ends with an {@link RpcException}; its outcome is unknown
   *     if the request was sent
   */
  Reply call(Request request, Duration deadline, BooleanSupplier abandoned)
      throws RpcException, InterruptedException;

  /** Fails the calls in flight and lets go of the connection. May be called twice. */
  @Override
  void close();
}
