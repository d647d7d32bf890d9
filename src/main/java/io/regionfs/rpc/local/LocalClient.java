package io.regionfs.rpc.local;

import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcException.Outcome;
import io.regionfs.rpc.RpcTransport;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/** Calls to whatever server stands at the address when a call is made. */
final class LocalClient implements RpcClient {
  private final LocalTransport transport;
  private final InetSocketAddress peer;
  private final Set<LocalCall> calls = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  LocalClient(LocalTransport transport, InetSocketAddress peer) {
    this.transport = transport;
    this.peer = peer;
  }

  @Override
  public Reply call(Request request, Duration deadline, BooleanSupplier abandoned)
      throws RpcException, InterruptedException {
    long deadlineNanos = System.nanoTime() + deadline.toNanos();
    if (Thread.interrupted()) {
      throw new InterruptedException("interrupted before the request was sent");
    }
    LocalServer server = serverFor(request);
    LocalCall call = new LocalCall();
    calls.add(call);
    try {
      if (closed) {
        throw new RpcException(Outcome.NOT_SENT, "the client is closed");
      }
      server.accept(request, call);
      return call.await(deadlineNanos, abandoned);
    } finally {
      calls.remove(call);
      server.forget(call);
    }
  }

  private LocalServer serverFor(Request request) throws RpcException {
    int bytes = request.getSerializedSize();
    if (bytes > RpcTransport.MAX_MESSAGE_BYTES) {
      throw new RpcException(Outcome.NOT_SENT, "the request has " + bytes + " bytes: too large");
    }
    LocalServer server = transport.serverAt(peer);
    if (server == null) {
      throw new RpcException(Outcome.NOT_SENT, "no server at " + peer);
    }
    return server;
  }

  @Override
  public void close() {
    closed = true;
    transport.forget(this);
    calls.forEach(call -> call.fail(Outcome.UNKNOWN, "the client was closed"));
  }
}
