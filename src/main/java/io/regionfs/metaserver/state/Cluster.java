package io.regionfs.metaserver.state;

import io.regionfs.model.Errno;
import io.regionfs.proto.AddReplica;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which cluster this is, and which replicas of the metadata service it ever had, each with its
 * disk. A replica is kept for ever, also when it was removed: its number is not used again, as a
 * replica that forgot its votes under a known number could elect two leaders.
 */
final class Cluster {
  private final TreeMap<Integer, Long> diskById = new TreeMap<>();
  private String id = "";

  String id() {
    return id;
  }

  boolean isFounded() {
    return !id.isEmpty();
  }

  /** EINVAL without a name. */
  void found(String clusterId) {
    if (clusterId.isEmpty()) {
      throw new Refusal(Errno.EINVAL, "a cluster needs an id");
    }
    id = clusterId;
  }

  void restore(String clusterId) {
    id = clusterId;
  }

  /** EXDEV if the client was told of another cluster. */
  void check(String clusterId) {
    if (!clusterId.isEmpty() && !clusterId.equals(id)) {
      throw new Refusal(
          Errno.EXDEV,
          (isFounded() ? "this is cluster " + id : "this cluster is not founded yet")
              + ", the client belongs to "
              + clusterId);
    }
  }

  void add(AddReplica replica) {
    if (replica.getId() <= 0 || replica.getDisk() == 0) {
      throw new Refusal(Errno.EINVAL, "a replica needs a number from 1 and the id of its disk");
    }
    Long known = diskById.putIfAbsent(replica.getId(), replica.getDisk());
    if (known != null && known != replica.getDisk()) {
      throw new Refusal(
          Errno.EEXIST,
          "replica "
              + replica.getId()
              + " was a member with another disk; if that one is lost, remove the replica and add it"
              + " under a number that was never used");
    }
  }

  /** 0: no such replica. */
  long disk(int replica) {
    return diskById.getOrDefault(replica, 0L);
  }

  Map<Integer, Long> replicas() {
    return diskById;
  }

  void addTo(Fingerprint print) {
    print.add(id);
    diskById.forEach((replica, disk) -> print.add(replica).add(disk));
  }
}
