package io.regionfs.cli;

import io.regionfs.fuse.FuseMount;
import io.regionfs.meta.Membership;
import io.regionfs.meta.Metadata;
import io.regionfs.model.FsException;
import io.regionfs.region.HomeHandler;
import io.regionfs.region.LentMemory;
import io.regionfs.region.LentStatus;
import io.regionfs.verbs.Fabric;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a node says of itself and of its cluster. Its own part never waits; the cluster's part is
 * asked of the metadata service, and says so if that does not answer.
 */
final class StatusReport {
  private final RunningMounts.Entry entry;
  private final String name;
  private final Ports ports;
  private final Membership membership;
  private final Metadata impatient;
  private final Fabric fabric;
  private final LentMemory lent;
  private final HomeHandler home;
  private final FuseMount mount;

  /**
   * @param impatient metadata that fails instead of waiting for the service to come back
   */
  StatusReport(
      RunningMounts.Entry entry,
      String name,
      Membership membership,
      Ports ports,
      Metadata impatient,
      Fabric fabric,
      LentMemory lent,
      HomeHandler home,
      FuseMount mount) {
    this.entry = entry;
    this.name = name;
    this.ports = ports;
    this.membership = membership;
    this.impatient = impatient;
    this.fabric = fabric;
    this.lent = lent;
    this.home = home;
    this.mount = mount;
  }

  Map<String, @Nullable Object> now() {
    Map<String, @Nullable Object> status = new LinkedHashMap<>();
    LentStatus memory = lent.status();
    status.put("node", node());
    status.put("fabric", fabric());
    Map<String, @Nullable Object> capacity = new LinkedHashMap<>();
    capacity.put("ownBytes", memory.budgetBytes());
    capacity.put("ownUsedBytes", memory.allocatedBytes());
    status.put("capacity", capacity);
    status.put("regions", regions(memory));
    status.put("homeCalls", homeCalls());
    status.put("metadata", metadata(status, capacity));
    return status;
  }

  private Map<String, @Nullable Object> node() {
    Map<String, @Nullable Object> node = new LinkedHashMap<>();
    node.put("id", membership.node().value());
    node.put("name", name);
    node.put("pid", entry.pid());
    node.put("mountPoint", entry.mountPoint().toString());
    node.put("stateDirectory", entry.stateDirectory().toString());
    node.put("memoryDirectory", entry.memoryDirectory().toString());
    node.put("rpcAddress", Addresses.text(ports.calls().address()));
    node.put("dataAddress", Addresses.text(ports.memory().address()));
    node.put("fuseThreads", mount.threads());
    return node;
  }

  private Map<String, @Nullable Object> fabric() {
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    answer.put("description", fabric.description());
    answer.put("registrations", fabric.registrations());
    answer.put("registeredBytes", fabric.registeredBytes());
    answer.put("connectionsFromOthers", ports.memory().connections());
    return answer;
  }

  private static Map<String, @Nullable Object> regions(LentStatus memory) {
    Map<String, @Nullable Object> regions = new LinkedHashMap<>();
    regions.put("own", memory.regions());
    regions.put("generation", Long.toHexString(memory.generation()));
    regions.put("exposures", memory.exposures());
    regions.put("pinnedBytes", memory.pinnedBytes());
    regions.put("mappings", memory.mappings());
    return regions;
  }

  /** By kind, with the sum: reads and writes of exposed memory are in none of them. */
  private Map<String, @Nullable Object> homeCalls() {
    Map<String, Long> counts = home.callCounts();
    Map<String, @Nullable Object> calls = new LinkedHashMap<>(counts);
    calls.put("total", counts.values().stream().mapToLong(Long::longValue).sum());
    return calls;
  }

  /** Adds the cluster's part to the rest if it can be had. */
  private Map<String, @Nullable Object> metadata(
      Map<String, @Nullable Object> status, Map<String, @Nullable Object> capacity) {
    Map<String, @Nullable Object> metadata = new LinkedHashMap<>();
    metadata.put("clusterId", membership.clusterId());
    metadata.put("embedded", entry.ownsCluster());
    try {
      Metadata.ServiceReport service = impatient.service();
      Metadata.Space space = impatient.space();
      status.put("nodes", impatient.nodes().stream().map(StatusReport::node).toList());
      capacity.put("clusterBytes", space.capacityBytes());
      capacity.put("clusterUsedBytes", space.usedBytes());
      metadata.put("reachable", true);
      metadata.put("leader", service.leader());
      metadata.put("inodes", service.inodes());
      metadata.put("commands", service.commands());
      metadata.put("queries", service.queries());
      metadata.put("uptimeSeconds", service.uptimeSeconds());
    } catch (FsException e) {
      status.put("nodes", List.of());
      metadata.put("reachable", false);
      metadata.put("error", e.getMessage());
    }
    return metadata;
  }

  private static Map<String, @Nullable Object> node(io.regionfs.meta.Node member) {
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
