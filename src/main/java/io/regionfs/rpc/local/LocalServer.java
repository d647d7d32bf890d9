package io.regionfs.rpc.local;

import io.regionfs.proto.Request;
import io.regionfs.rpc.GuardedHandler;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcServer;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A handler in the registry, with the calls that wait for its replies. */
final class LocalServer implements RpcServer {
  private final LocalTransport transport;
  private final InetSocketAddress address;
  private final GuardedHandler handler;
  private final Set<LocalCall> calls = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  LocalServer(LocalTransport transport, InetSocketAddress address, RpcHandler handler) {
    this.transport = transport;
    this.address = address;
    this.handler = new GuardedHandler(handler);
  }

  @Override
  public InetSocketAddress address() {
    return address;
  }

  /** Hands the request to the handler; the call ends by its reply or when this server closes. */
  void accept(Request request, LocalCall call) {
    if (closed) {
      call.fail(RpcException.Outcome.NOT_SENT, "no server at " + address);
      return;
    }
    calls.add(call);
    if (closed) {
      call.fail(RpcException.Outcome.NOT_SENT, "no server at " + address);
    } else {
      handler.handle(request, call);
    }
  }

  void forget(LocalCall call) {
    calls.remove(call);
  }

  @Override
  public void close() {
    closed = true;
    transport.forget(this);
    calls.forEach(
        call ->
            call.fail(RpcException.Outcome.UNKNOWN, "the server at " + address + " was closed"));
  }
}
