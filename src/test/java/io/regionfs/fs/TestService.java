package io.regionfs.fs;

import io.regionfs.meta.Membership;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.MetadataClient;
import io.regionfs.meta.MetadataClientOptions;
import io.regionfs.metaserver.LocalLog;
import io.regionfs.metaserver.MetadataOptions;
import io.regionfs.metaserver.MetadataService;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/** A metadata service that two nodes have joined: "node1", "node2". */
@SuppressWarnings("MustBeClosedChecker") // closed in close()
final class TestService implements AutoCloseable {
  static final Membership.Load LOAD = new Membership.Load(1000, 400, 1, "none");
  private static final MetadataOptions OPTIONS =
      new MetadataOptions("test", "here", Duration.ofHours(1));

  private final RpcTransport transport;
  private final MetadataService service;
  private final RpcServer server;
  private final Host one;
  private final Host two;

  /** Nodes that neither answer calls nor lend memory. Closes the transport with itself. */
  TestService(RpcTransport transport) throws IOException {
    this(transport, identity(1, loopback(1), loopback(1)), identity(2, loopback(2), loopback(2)));
  }

  /** Closes the transport with itself. */
  TestService(RpcTransport transport, Membership.Identity one, Membership.Identity two)
      throws IOException {
    this.transport = transport;
    Replica replica = new Replica();
    service = new MetadataService(OPTIONS, replica, new LocalLog(replica));
    server = transport.serve(loopback(0), service);
    this.one = new Host(one);
    this.two = new Host(two);
  }

  static Membership.Identity identity(int node, InetSocketAddress rpc, InetSocketAddress data) {
    return new Membership.Identity("node" + node, node, rpc, data);
  }

  static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  Metadata metadata(int node) {
    return host(node).metadata;
  }

  NodeId id(int node) {
    return host(node).membership.node();
  }

  /** Ends the node's membership, and with it all it has open, and lets it join again. */
  void rejoin(int node) {
    leave(node);
    host(node).join();
  }

  /** Ends the node's membership: it is not alive any more. */
  void leave(int node) {
    host(node).membership.close();
  }

  private Host host(int node) {
    return node == 1 ? one : two;
  }

  @Override
  public void close() {
    one.close();
    two.close();
    server.close();
    service.close();
    transport.close();
  }

  private final class Host implements Membership.Listener, AutoCloseable {
    private final Membership.Identity identity;
    private final RpcClient client = transport.client(server.address());
    private final MetadataClient metadata =
        new MetadataClient(List.of(client), MetadataClientOptions.PATIENT);
    private Membership membership;

    Host(Membership.Identity identity) {
      this.identity = identity;
      this.membership = Membership.join(metadata, identity);
      membership.start(() -> LOAD, this);
    }

    private void join() {
      membership = Membership.join(metadata, identity);
      membership.start(() -> LOAD, this);
    }

    @Override
    public void dead(List<InodeId> inodes) {}

    @Override
    public void leaseLost() {}

    @Override
    public void close() {
      membership.close();
      metadata.close();
      client.close();
    }
  }
}
