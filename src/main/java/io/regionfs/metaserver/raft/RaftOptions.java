package io.regionfs.metaserver.raft;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * How a replica keeps its log.
 *
 * @param id of this replica, from 1
 * @param replicas where each answers calls, this one included; those which found the group
 * @param role whether it founds the group with the others, waits to be taken in, or is alone for
 *     ever
 * @param directory of the log, the votes and the snapshots; made if missing
 * @param clusterId replicas of different clusters don't talk to each other
 * @param electionTimeout how long a leader may be silent
 * @param snapshotInterval a snapshot is taken when it has passed and something has changed
 * @param snapshotEntries a snapshot is taken after that many entries of the log in any case
 * @param leaseReads barriers rely on the leader's clock instead of asking the majority: quicker,
 *     but wrong where a machine can be suspended without noticing
 * @param fsync off: a power failure may cost what was acknowledged, the death of a process doesn't
 * @param minFreeBytes no change is taken while the directory's file system has less
 */
public record RaftOptions(
    int id,
    Map<Integer, InetSocketAddress> replicas,
    Role role,
    Path directory,
    String clusterId,
    Duration electionTimeout,
    Duration snapshotInterval,
    int snapshotEntries,
    boolean leaseReads,
    boolean fsync,
    long minFreeBytes) {

  /** What a replica with an empty directory does; one that has a log goes on where it was. */
  public enum Role {
    /** Founds the group with all of {@code replicas}. */
    FOUNDER,
    /** Waits until a leader takes it in. */
    JOINER,
    /** Founds a group that only ever has this replica: no port is opened for the engine. */
    HERMIT
  }

  /** The engine's own transport listens that far above the port for calls. */
  static final int ENGINE_PORT_OFFSET = 1;

  private static final int MAX_PORT = 65534;

  public RaftOptions {
    replicas = Map.copyOf(replicas);
    InetSocketAddress own = replicas.get(id);
    if (own == null) {
      throw new IllegalArgumentException("replica " + id + " is not among " + replicas.keySet());
    }
    if (replicas.keySet().stream().anyMatch(i -> i < 1)) {
      throw new IllegalArgumentException("ids of replicas start at 1: " + replicas.keySet());
    }
    if (replicas.values().stream().distinct().count() < replicas.size()) {
      throw new IllegalArgumentException("two replicas have the same address: " + replicas);
    }
    replicas.values().forEach(RaftOptions::check);
    if (role == Role.HERMIT && replicas.size() > 1) {
      throw new IllegalArgumentException("not alone: " + replicas.keySet());
    }
    if (!clusterId.matches("[a-zA-Z0-9_-]+")) {
      throw new IllegalArgumentException("not a cluster id: " + clusterId);
    }
  }

  private static void check(InetSocketAddress address) {
    if (address.isUnresolved() || address.getAddress().isAnyLocalAddress()) {
      throw new IllegalArgumentException("a replica needs an address others reach: " + address);
    }
    if (address.getPort() < 1 || address.getPort() + ENGINE_PORT_OFFSET > MAX_PORT) {
      throw new IllegalArgumentException("no port left for the engine next to " + address);
    }
  }

  /** What the engine calls the replicas of this cluster together. */
  String group() {
    return "regionfs-" + clusterId;
  }

  /** With what suits most. */
  public static RaftOptions of(
      int id,
      Map<Integer, InetSocketAddress> replicas,
      Role role,
      Path directory,
      String clusterId) {
    return new RaftOptions(
        id,
        replicas,
        role,
        directory,
        clusterId,
        Duration.ofSeconds(1),
        Duration.ofMinutes(30),
        100_000,
        false,
        true,
        64L << 20);
  }

  public RaftOptions withElectionTimeout(Duration timeout) {
    return with(timeout, snapshotInterval, snapshotEntries, leaseReads, fsync, minFreeBytes);
  }

  public RaftOptions withSnapshots(Duration interval, int entries) {
    return with(electionTimeout, interval, entries, leaseReads, fsync, minFreeBytes);
  }

  public RaftOptions withLeaseReads(boolean on) {
    return with(electionTimeout, snapshotInterval, snapshotEntries, on, fsync, minFreeBytes);
  }

  public RaftOptions withFsync(boolean on) {
    return with(electionTimeout, snapshotInterval, snapshotEntries, leaseReads, on, minFreeBytes);
  }

  public RaftOptions withMinFreeBytes(long bytes) {
    return with(electionTimeout, snapshotInterval, snapshotEntries, leaseReads, fsync, bytes);
  }

  /** The same replica with other settings. */
  private RaftOptions with(
      Duration timeout, Duration interval, int entries, boolean lease, boolean sync, long bytes) {
    return new RaftOptions(
        id, replicas, role, directory, clusterId, timeout, interval, entries, lease, sync, bytes);
  }
}
