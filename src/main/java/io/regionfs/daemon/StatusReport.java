package io.regionfs.daemon;

import io.regionfs.fuse.FuseMount;
import io.regionfs.meta.Membership;
import io.regionfs.region.HomeHandler;
import io.regionfs.region.LentMemory;
import io.regionfs.region.LentStatus;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a node says of itself and of its cluster. Its own part never waits; the cluster's part is
 * asked of the metadata service, and says so if that does not answer.
 */
final class StatusReport {
  private final RunningMounts.Entry entry;
  private final String name;
  private final String remark;
  private final Ports ports;
  private final Membership membership;
  private final MetadataReport metadata;
  private final FabricReport fabric;
  private final Supplier<String> passThrough;
  private final LentMemory lent;
  private final HomeHandler home;
  private final FuseMount mount;

  /**
   * @param passThrough how files at home here are served, for people
   * @param remark what the user must know since the start; empty: nothing
   */
  StatusReport(
      RunningMounts.Entry entry,
      String name,
      String remark,
      Membership membership,
      Ports ports,
      MetadataReport metadata,
      FabricReport fabric,
      Supplier<String> passThrough,
      LentMemory lent,
      HomeHandler home,
      FuseMount mount) {
    this.entry = entry;
    this.name = name;
    this.remark = remark;
    this.ports = ports;
    this.membership = membership;
    this.metadata = metadata;
    this.fabric = fabric;
    this.passThrough = passThrough;
    this.lent = lent;
    this.home = home;
    this.mount = mount;
  }

  Map<String, @Nullable Object> now() {
    Map<String, @Nullable Object> status = new LinkedHashMap<>();
    LentStatus memory = lent.status();
    status.put("node", node());
    status.put("fabric", fabric.now());
    Map<String, @Nullable Object> capacity = new LinkedHashMap<>();
    capacity.put("ownBytes", memory.budgetBytes());
    capacity.put("ownUsedBytes", memory.allocatedBytes());
    status.put("capacity", capacity);
    status.put("regions", regions(memory));
    status.put("homeCalls", homeCalls());
    Map<String, @Nullable Object> service = new LinkedHashMap<>();
    service.put("clusterId", membership.clusterId());
    service.put("embedded", entry.ownsCluster());
    metadata.addTo(service, status, capacity);
    status.put("metadata", service);
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
    node.put("transport", mount.transport().toString());
    node.put("filesAtHome", passThrough.get());
    node.put("trouble", remark);
    return node;
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
}
