package io.regionfs.daemon;

import io.regionfs.meta.Metadata;
import io.regionfs.meta.Node;
import io.regionfs.model.FsException;
import io.regionfs.proto.AdministrationReply;
import io.regionfs.rpc.RpcTransport;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the metadata service says of itself and of the cluster, in a node's status. It is asked with
 * little patience, and the report says so if it does not answer.
 */
final class MetadataReport {
  private final RpcTransport transport;
  private final List<InetSocketAddress> addresses;
  private final Metadata impatient;

  /**
   * @param addresses of replicas
   * @param impatient metadata that fails instead of waiting for the service to come back
   */
  MetadataReport(RpcTransport transport, List<InetSocketAddress> addresses, Metadata impatient) {
    this.transport = transport;
    this.addresses = List.copyOf(addresses);
    this.impatient = impatient;
  }

  /**
   * Adds what can be had.
   *
   * @param metadata the service's own part of {@code status}
   * @param capacity the part about memory
   */
  void addTo(
      Map<String, @Nullable Object> metadata,
      Map<String, @Nullable Object> status,
      Map<String, @Nullable Object> capacity) {
    try {
      Metadata.ServiceReport service = impatient.service();
      Metadata.Space space = impatient.space();
      status.put("nodes", impatient.nodes().stream().map(MetadataReport::node).toList());
      capacity.put("clusterBytes", space.capacityBytes());
      capacity.put("clusterUsedBytes", space.usedBytes());
      metadata.put("reachable", true);
      metadata.put("leader", service.leader());
      metadata.put("inodes", service.inodes());
      metadata.put("commands", service.commands());
      metadata.put("queries", service.queries());
      metadata.put("locks", service.locks());
      metadata.put("uptimeSeconds", service.uptimeSeconds());
    } catch (FsException e) {
      status.put("nodes", List.of());
      metadata.put("reachable", false);
      metadata.put("error", e.getMessage());
    }
    addReplicas(metadata);
  }

  private void addReplicas(Map<String, @Nullable Object> metadata) {
    List<ReplicaCalls.Answer> answers;
    try (ReplicaCalls replicas = new ReplicaCalls(transport, addresses)) {
      answers = replicas.status();
    }
    List<Map<String, @Nullable Object>> list = new ArrayList<>();
    List<String> trouble = new ArrayList<>();
    long term = 0;
    for (ReplicaCalls.Answer answer : answers) {
      AdministrationReply reply = answer.reply();
      Map<String, @Nullable Object> one = new LinkedHashMap<>();
      one.put("id", (long) answer.id());
      one.put("address", Addresses.text(answer.address()));
      one.put("reachable", reply != null);
      one.put("leads", answer.leads());
      list.add(one);
      String wrong = reply == null ? "does not answer" : reply.getTrouble();
      if (!wrong.isEmpty()) {
        trouble.add("replica " + answer.id() + " " + wrong);
      }
      term = Math.max(term, reply == null ? 0 : reply.getTerm());
    }
    metadata.put("term", term);
    metadata.put("replicas", list);
    metadata.put("trouble", String.join("; ", trouble));
  }

  private static Map<String, @Nullable Object> node(Node member) {
    Map<String, @Nullable Object> node = new LinkedHashMap<>();
    node.put("id", member.id().value());
    node.put("name", member.name());
    node.put("alive", member.alive());
    node.put("rpcAddress", Addresses.text(member.rpc()));
    node.put("dataAddress", Addresses.text(member.data()));
    node.put("capacityBytes", member.capacityBytes());
    node.put("usedBytes", member.usedBytes());
    node.put("regions", member.regions());
    node.put("fabric", member.fabric());
    return node;
  }
}
