package io.regionfs.daemon;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** A node's two listening ports: calls, and one above it memory. */
record Ports(RpcServer calls, FabricListener memory) implements AutoCloseable {
  private static final int MOST_TRIED = 64;

  /**
   * Opens the pair at this port or, if it is 0, the first free pair from the default port on.
   *
   * @throws IOException that says what to do
   */
  @MustBeClosed
  static Ports open(
      RpcTransport transport, Fabric fabric, InetAddress address, int port, RpcHandler handler)
      throws IOException {
    if (port != 0) {
      return openPair(transport, fabric, address, port, handler);
    }
    IOException last = new IOException("no free port");
    for (int i = 0; i < MOST_TRIED; i++) {
      int tried = Addresses.DEFAULT_PORT + 2 * i;
      if (Addresses.pairIsFree(address, tried)) {
        try {
          return openPair(transport, fabric, address, tried, handler);
        } catch (IOException e) {
          last = e; // taken meanwhile
        }
      }
    }
    throw last;
  }

  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed by the result, or here
  private static Ports openPair(
      RpcTransport transport, Fabric fabric, InetAddress address, int port, RpcHandler handler)
      throws IOException {
    InetSocketAddress memory = new InetSocketAddress(address, port + 1);
    RpcServer calls = Listening.serve(transport, new InetSocketAddress(address, port), handler);
    try {
      return new Ports(calls, fabric.listen(memory));
    } catch (IOException e) {
      calls.close();
      throw Listening.cannotListen(memory, e);
    }
  }

  /** Peers are turned away from the memory first: they hold keys to it. */
  @Override
  public void close() {
    memory.close();
    calls.close();
  }
}
