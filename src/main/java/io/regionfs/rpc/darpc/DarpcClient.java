package io.regionfs.rpc.darpc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcException.Outcome;
import io.regionfs.rpc.RpcTransport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls over one connection at a time, which is made when a call needs it. Connecting and releasing
 * happen in threads of the transport, so a caller's deadline and interrupts always work.
 */
final class DarpcClient implements RpcClient {
  private static final Logger LOG = LoggerFactory.getLogger(DarpcClient.class);
  private static final Duration LONGEST_DEADLINE = Duration.ofDays(365);

  private final DarpcTransport transport;
  private final InetSocketAddress peer;
  private final Object lock = new Object();

  /** The connection, or the attempt to make it; replaced when it was lost. */
  @GuardedBy("lock")
  private @Nullable CompletableFuture<ClientConnection> connection;

  @GuardedBy("lock")
  private boolean closed;

  DarpcClient(DarpcTransport transport, InetSocketAddress peer) {
    this.transport = transport;
    this.peer = peer;
  }

  @Override
  public Reply call(Request request, Duration deadline, BooleanSupplier abandoned)
      throws RpcException, InterruptedException {
    Duration wait = deadline.compareTo(LONGEST_DEADLINE) < 0 ? deadline : LONGEST_DEADLINE;
    long endNanos = System.nanoTime() + wait.toNanos();
    int bytes = request.getSerializedSize();
    if (bytes > RpcTransport.MAX_MESSAGE_BYTES) {
      throw new RpcException(Outcome.NOT_SENT, "the request has " + bytes + " bytes: too large");
    }
    if (Thread.interrupted()) {
      throw new InterruptedException("interrupted before the request was sent");
    }
    Waiting waiting = new Waiting(endNanos, abandoned);
    while (true) {
      ClientConnection current = connected(waiting);
      PendingCall call = current.send(request, waiting);
      if (call != null) {
        return current.await(call, waiting);
      } // else the connection was lost before the request left: on to the next one
    }
  }

  private ClientConnection connected(Waiting waiting) throws RpcException, InterruptedException {
    CompletableFuture<ClientConnection> attempt;
    synchronized (lock) {
      if (closed) {
        throw new RpcException(Outcome.NOT_SENT, "the client is closed");
      }
      if (connection == null || isSpent(connection)) {
        connection = new CompletableFuture<>();
        CompletableFuture<ClientConnection> made = connection;
        transport.execute(() -> connect(made));
      }
      attempt = connection;
    }
    do {
      try {
        return attempt.get(waiting.sliceNanos(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        LOG.trace("not connected to {} yet", peer);
      } catch (ExecutionException e) {
        Throwable cause = e.getCause() != null ? e.getCause() : e;
        throw new RpcException(
            Outcome.NOT_SENT, "cannot connect to " + peer + ": " + cause.getMessage(), cause);
      }
    } while (!waiting.isOver());
    throw new RpcException(Outcome.NOT_SENT, "not connected to " + peer + " in time");
  }

  private static boolean isSpent(CompletableFuture<ClientConnection> attempt) {
    return attempt.isCompletedExceptionally()
        || (attempt.isDone() && attempt.join().isLost()); // done: join does not wait
  }

  /** Runs in a thread of the transport. */
  private void connect(CompletableFuture<ClientConnection> attempt) {
    ClientConnection made;
    try {
      DarpcTransport.checkAddress(peer);
      made = transport.newConnection();
      made.connect(transport.source(), peer);
      LOG.debug("connected to {}", peer);
    } catch (IOException | InterruptedException | RuntimeException | OutOfMemoryError e) {
      LOG.debug("cannot connect to {}: {}", peer, e.toString());
      attempt.completeExceptionally(e);
      return;
    }
    if (!attempt.complete(made)) {
      made.lose("the client was closed");
    }
  }

  /** Lets go of a connection that was lost, and so of its buffers, before the next call does. */
  void forgetLost() {
    synchronized (lock) {
      if (connection != null && isSpent(connection)) {
        connection = null;
      }
    }
  }

  /** Ends the calls; what was in flight is unknown. */
  void loseConnection(String reason) {
    CompletableFuture<ClientConnection> last;
    synchronized (lock) {
      closed = true;
      last = connection;
      connection = null;
    }
    if (last != null && !last.completeExceptionally(new IOException(reason))) {
      if (!last.isCompletedExceptionally()) {
        last.join().lose(reason);
      }
    }
  }

  @Override
  public void close() {
    loseConnection("the client was closed");
    transport.forget(this);
  }
}
