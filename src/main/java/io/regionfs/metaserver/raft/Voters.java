package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.entity.PeerId;
import io.regionfs.proto.ReplicaAddress;
import java.net.InetSocketAddress;

/**
 * The engine's names of replicas. They hold the replica's id, so that the voters in the log and in
 * snapshots say which ids there are, and a replica under a new id at an old address is another one.
 */
final class Voters {
  /** The one address of a replica that talks to nobody; it stays when the host's changes. */
  private static final PeerId NOWHERE = new PeerId("127.0.0.1", 1);

  private Voters() {}

  static PeerId self(RaftOptions options) {
    return options.role() == RaftOptions.Role.HERMIT
        ? new PeerId(NOWHERE.getEndpoint(), options.id())
        : peer(options.id(), ownAddress(options));
  }

  static InetSocketAddress ownAddress(RaftOptions options) {
    InetSocketAddress own = options.replicas().get(options.id());
    if (own == null) {
      throw new AssertionError("checked when the options were made");
    }
    return own;
  }

  static PeerId peer(int id, InetSocketAddress calls) {
    return new PeerId(
        calls.getAddress().getHostAddress(), calls.getPort() + RaftOptions.ENGINE_PORT_OFFSET, id);
  }

  static int id(PeerId peer) {
    return peer.getIdx();
  }

  /** Where a replica answers calls, IP:PORT. */
  static String address(PeerId peer, RaftOptions options) {
    if (peer.getEndpoint().equals(NOWHERE.getEndpoint())) {
      return text(ownAddress(options));
    }
    return peer.getIp() + ":" + (peer.getPort() - RaftOptions.ENGINE_PORT_OFFSET);
  }

  private static String text(InetSocketAddress address) {
    return address.getAddress().getHostAddress() + ":" + address.getPort();
  }

  static ReplicaAddress message(PeerId peer, RaftOptions options) {
    return ReplicaAddress.newBuilder().setId(id(peer)).setAddress(address(peer, options)).build();
  }
}
