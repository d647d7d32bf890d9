package io.regionfs.metaserver;

import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Nodes;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Replies;
import io.regionfs.model.Errno;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.ExpireNode;
import io.regionfs.proto.NodeInfo;
import io.regionfs.proto.NodeList;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Renew;
import io.regionfs.proto.RenewReply;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.proto.SpaceReport;
import io.regionfs.rpc.RpcTransport;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Nodes coming, staying and going: leases kept here, by the leader, and their beginning and end
 * told to the namespace by commands.
 */
final class Members {
  private static final Logger LOG = LoggerFactory.getLogger(Members.class);

  /** Keeps one renewal's answer within a message. */
  private static final int MAX_DEAD_INODES = 1000;

  private static final int MAX_LIST_BYTES = RpcTransport.MAX_MESSAGE_BYTES - 1024;
  private static final int ENVELOPE_BYTES = 4;

  private final MetadataOptions options;
  private final long term;
  private final Replica replica;
  private final Proposals proposals;
  private final Leases leases;
  private final CacheLeases caches;

  /** To be run when a member has come or gone. */
  private final Runnable changed;

  Members(
      MetadataOptions options,
      long term,
      Replica replica,
      Proposals proposals,
      Leases leases,
      CacheLeases caches,
      Runnable changed) {
    this.changed = changed;
    this.caches = caches;
    this.options = options;
    this.term = term;
    this.replica = replica;
    this.proposals = proposals;
    this.leases = leases;
    for (int node : living()) {
      leases.grant(node);
    }
  }

  private List<Integer> living() {
    return replica.read(
        namespace ->
            namespace.nodes().all().stream()
                .filter(Nodes.Member::isLiving)
                .map(member -> member.id())
                .toList());
  }

  /** The request's own id makes a repeated join count once. */
  CompletableFuture<Reply> join(Request request, AddNode identity) {
    Operation operation = Operation.newBuilder().setAddNode(identity).build();
    return proposals.propose(request, operation).thenApply(this::joined);
  }

  private Reply joined(Reply reply) {
    if (!reply.hasJoined()) {
      return reply;
    }
    leases.grant(reply.getJoined().getNode());
    caches.joined(reply.getJoined().getNode());
    changed.run();
    Reply.Builder answer = reply.toBuilder();
    answer
        .getJoinedBuilder()
        .setClusterId(clusterId(options, replica))
        .setLeaseMillis((int) leases.term().toMillis())
        .setCacheLeaseMillis((int) options.cacheLease().toMillis())
        .setTerm(term);
    return answer.build();
  }

  /** What the cluster was founded as; else what this service was told. */
  static String clusterId(MetadataOptions options, Replica replica) {
    String founded = replica.read(Namespace::clusterId);
    return founded.isEmpty() ? options.clusterId() : founded;
  }

  /**
   * To be called behind a barrier. A node that has not answered a recall for too long stays a
   * member, but must not take this for a renewal of its cache lease: EAGAIN.
   */
  Reply renew(Renew renew) {
    int node = renew.getNode();
    boolean renewed = leases.renew(renew);
    if (renewed && !caches.renewed(node)) {
      return Replies.refusal(Errno.EAGAIN, "the node has not answered a recall");
    }
    RenewReply answer =
        replica.read(
            namespace ->
                RenewReply.newBuilder()
                    .setExpired(!renewed || !namespace.nodes().isLiving(node))
                    .addAllDeadInodes(namespace.inodes().dead(node, MAX_DEAD_INODES))
                    .setNodesVersion(namespace.nodes().version())
                    .setTerm(term)
                    .build());
    return Reply.newBuilder().setRenewed(answer).build();
  }

  CompletableFuture<Reply> leave(int node) {
    leases.end(node);
    caches.left(node);
    return expire(node);
  }

  /** Ends the membership of nodes that were silent too long. */
  @SuppressWarnings("FutureReturnValueIgnored") // reportFailure is all there is to do
  void expireSilent() {
    // Held until the commands are proposed: a node that hears of its end joins after it.
    synchronized (leases) {
      for (int node : leases.sweep()) {
        LOG.warn("Node {} was silent for {}: its opens end", node, leases.term());
        expire(node).whenComplete((reply, failure) -> reportFailure(node, failure));
      }
    }
  }

  private void reportFailure(int node, @Nullable Throwable failure) {
    if (failure != null) {
      LOG.warn("Could not end the membership of node {}; trying again", node, failure);
      leases.grant(node);
    }
  }

  private CompletableFuture<Reply> expire(int node) {
    Operation operation =
        Operation.newBuilder().setExpireNode(ExpireNode.newBuilder().setNode(node)).build();
    return proposals.propose(operation).whenComplete((reply, failure) -> changed.run());
  }

  Reply space() {
    SpaceReport.Builder space = SpaceReport.newBuilder();
    for (Renew load : leases.loads()) {
      space.setCapacityBytes(space.getCapacityBytes() + load.getCapacityBytes());
      space.setUsedBytes(space.getUsedBytes() + load.getUsedBytes());
    }
    space.setInodes(replica.read(namespace -> namespace.inodes().count()));
    return Reply.newBuilder().setSpace(space).build();
  }

  /**
   * All nodes in the order of their numbers. If they are too many for one message, the dead ones
   * that joined first are left out.
   */
  Reply list() {
    List<NodeInfo> infos = new ArrayList<>();
    for (NodeInfo.Builder member : replica.read(Members::describe)) {
      infos.add(withLoad(member));
    }
    infos.sort(
        Comparator.comparing(NodeInfo::getAlive).thenComparing(NodeInfo::getNode).reversed());
    NodeList.Builder list = NodeList.newBuilder();
    int bytes = 0;
    int count = 0;
    while (count < infos.size() && bytes < MAX_LIST_BYTES - infos.get(count).getSerializedSize()) {
      bytes += infos.get(count).getSerializedSize() + ENVELOPE_BYTES;
      count++;
    }
    infos.subList(0, count).stream()
        .sorted(Comparator.comparing(NodeInfo::getNode))
        .forEach(list::addNodes);
    return Reply.newBuilder().setNodes(list).build();
  }

  private static List<NodeInfo.Builder> describe(Namespace namespace) {
    List<NodeInfo.Builder> members = new ArrayList<>();
    for (Nodes.Member member : namespace.nodes().all()) {
      AddNode identity = member.identity();
      members.add(
          NodeInfo.newBuilder()
              .setNode(member.id())
              .setName(identity.getName())
              .setRpcAddress(identity.getRpcAddress())
              .setDataAddress(identity.getDataAddress())
              .setAlive(member.isLiving()));
    }
    return members;
  }

  private NodeInfo withLoad(NodeInfo.Builder info) {
    Renew load = leases.load(info.getNode());
    if (load != null) {
      info.setCapacityBytes(load.getCapacityBytes())
          .setUsedBytes(load.getUsedBytes())
          .setRegions(load.getRegions())
          .setFabric(load.getFabric());
    }
    return info.build();
  }
}
