package io.regionfs.metaserver;

import io.regionfs.meta.Messages;
import io.regionfs.meta.MetadataProtocol;
import io.regionfs.metaserver.state.Nodes;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcTransport;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls of the leader to nodes, at the addresses they have joined with. Safe for use by many
 * threads. The transport and the replica are borrowed.
 */
final class NodeCalls implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NodeCalls.class);

  private final RpcTransport transport;
  private final Replica replica;
  private final Map<InetSocketAddress, RpcClient> clients = new ConcurrentHashMap<>();
  private volatile boolean closed;

  NodeCalls(RpcTransport transport, Replica replica) {
    this.transport = transport;
    this.replica = replica;
  }

  /** One attempt; null if the node did not answer, or cannot yet. */
  @Nullable Reply call(int node, Request.Builder request, Duration deadline)
      throws InterruptedException {
    try {
      InetSocketAddress address = address(node);
      if (address == null || closed) {
        return null;
      }
      Request sent = request.setVersion(MetadataProtocol.VERSION).build();
      Reply reply = clients.computeIfAbsent(address, transport::client).call(sent, deadline);
      return reply.getErrno() == Errno.EAGAIN.code() ? null : reply;
    } catch (RpcException | FsException e) {
      LOG.debug("Node {} does not answer: {}", node, e.getMessage());
      return null;
    }
  }

  private @Nullable InetSocketAddress address(int node) {
    String address =
        replica.read(
            namespace -> {
              for (Nodes.Member member : namespace.nodes().all()) {
                if (member.id() == node) {
                  return member.identity().getRpcAddress();
                }
              }
              return "";
            });
    return address.isEmpty() ? null : Messages.address(address);
  }

  /** Fails the calls under way. */
  @Override
  public void close() {
    closed = true;
    clients.values().forEach(RpcClient::close);
  }
}
