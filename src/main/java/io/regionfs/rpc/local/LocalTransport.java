package io.regionfs.rpc.local;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Calls inside one process. An address is a key in this transport's own registry, no socket is
 * opened, and the handler runs on the caller's thread.
 */
public final class LocalTransport implements RpcTransport {
  private static final int FIRST_CHOSEN_PORT = 49152;
  private static final int LAST_PORT = 65535;

  private final Map<InetSocketAddress, LocalServer> servers = new ConcurrentHashMap<>();
  private final Set<LocalClient> clients = ConcurrentHashMap.newKeySet();
  private final AtomicInteger chosenPorts = new AtomicInteger();
  private volatile boolean closed;

  @Override
  @MustBeClosed
  public RpcClient client(InetSocketAddress peer) {
    LocalClient client = new LocalClient(this, peer);
    clients.add(client);
    if (closed) {
      client.close();
    }
    return client;
  }

  @Override
  @MustBeClosed
  public RpcServer serve(InetSocketAddress listen, RpcHandler handler) throws IOException {
    LocalServer server;
    InetSocketAddress address = listen;
    do {
      if (listen.getPort() == 0) {
        address = new InetSocketAddress(listen.getAddress(), choosePort());
      }
      server = new LocalServer(this, address, handler);
    } while (servers.putIfAbsent(address, server) != null && retryWithNextPort(listen));
    if (closed) {
      server.close();
      throw new IOException("the transport is closed");
    }
    return server;
  }

  private static boolean retryWithNextPort(InetSocketAddress listen) throws BindException {
    if (listen.getPort() != 0) {
      throw new BindException("address already in use: " + listen);
    }
    return true;
  }

  private int choosePort() {
    int range = LAST_PORT - FIRST_CHOSEN_PORT + 1;
    return FIRST_CHOSEN_PORT + Math.floorMod(chosenPorts.getAndIncrement(), range);
  }

  @Nullable LocalServer serverAt(InetSocketAddress address) {
    return servers.get(address);
  }

  void forget(LocalServer server) {
    servers.remove(server.address(), server);
  }

  void forget(LocalClient client) {
    clients.remove(client);
  }

  @Override
  public void close() {
    closed = true;
    clients.forEach(LocalClient::close);
    servers.values().forEach(LocalServer::close);
  }
}
