package io.regionfs.daemon;

import com.google.errorprone.annotations.MustBeClosed;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.regionfs.metaserver.Administrator;
import io.regionfs.metaserver.MetadataOptions;
import io.regionfs.metaserver.MetadataService;
import io.regionfs.metaserver.raft.RaftLog;
import io.regionfs.metaserver.raft.RaftOptions;
import io.regionfs.metaserver.raft.TakenSnapshot;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import io.regionfs.rpc.RpcTransport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** One replica of a metadata service: its state, its log, and what answers calls. */
final class MetadataReplica implements RpcHandler, AutoCloseable {
  /** Below the directory of its identity. */
  private static final String LOG_DIRECTORY = "log";

  /** Else each of the engine's messages, made by an old protoc, is warned of on stderr. */
  private static final String OLD_MESSAGES = "com.google.protobuf.use_unsafe_pre22_gencode";

  private final Lifetimes lifetimes = new Lifetimes();
  private final Replica replica = new Replica();
  private final RaftLog log;
  private final MetadataService service;
  private final Administrator administrator;

  @SuppressWarnings("MustBeClosedChecker") // lifetimes closes all
  private MetadataReplica(
      RaftOptions options, String name, RpcTransport recalls, MeterRegistry registry)
      throws IOException {
    System.setProperty(OLD_MESSAGES, "");
    log = lifetimes.add("log", RaftLog.open(options, replica));
    administrator = new Administrator(replica, log, log);
    service =
        lifetimes.add(
            "service",
            new MetadataService(
                new MetadataOptions(options.clusterId(), name, MetadataOptions.DEFAULT_LEASE),
                replica,
                log,
                log,
                recalls,
                registry));
    measure(registry, "regionfs.meta.snapshots", TakenSnapshot::count);
    measure(registry, "regionfs.meta.snapshot.bytes", TakenSnapshot::bytes);
    measure(registry, "regionfs.meta.snapshot.pause.seconds", last -> seconds(last.pause()));
    measure(registry, "regionfs.meta.snapshot.writing.seconds", last -> seconds(last.writing()));
  }

  /** Of the last snapshot that this replica took since it was started. */
  private void measure(MeterRegistry registry, String name, ToDoubleFunction<TakenSnapshot> what) {
    Gauge.builder(name, log, source -> what.applyAsDouble(source.lastSnapshot()))
        .description("Of the last snapshot taken here")
        .strongReference(true)
        .register(registry);
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }

  /**
   * Opens what the directory holds.
   *
   * @param name for status: where it answers calls
   * @param recalls carries the service's own calls to nodes
   * @throws IOException that says what to do if what it kept cannot be read
   */
  @MustBeClosed
  static MetadataReplica open(
      RaftOptions options, String name, RpcTransport recalls, MeterRegistry registry)
      throws IOException {
    return new MetadataReplica(options, name, recalls, registry);
  }

  /** Of one among several. */
  static RaftOptions options(MetaOptions options, ReplicaIdentity identity) {
    boolean waits = identity.voters().isEmpty();
    Map<Integer, InetSocketAddress> replicas =
        new HashMap<>(
            waits ? options.peers().addresses() : Peers.parse(identity.voters()).addresses());
    return RaftOptions.of(
            identity.id(),
            replicas,
            waits ? RaftOptions.Role.JOINER : RaftOptions.Role.FOUNDER,
            options.stateDirectory().resolve(LOG_DIRECTORY),
            identity.clusterId())
        .withElectionTimeout(options.electionTimeout())
        .withLeaseReads(options.leaseReads())
        .withFsync(options.fsync())
        .withMinFreeBytes(options.minFreeBytes());
  }

  /** Of one that will never have others. */
  static RaftOptions alone(Path directory, ReplicaIdentity identity) {
    return RaftOptions.of(
        identity.id(),
        Map.of(identity.id(), Addresses.service(identity.address())),
        RaftOptions.Role.HERMIT,
        directory.resolve(LOG_DIRECTORY),
        identity.clusterId());
  }

  @Override
  public void handle(Request request, RpcResponder responder) {
    if (request.hasAdministration()) {
      administrator.handle(request, responder);
    } else {
      service.handle(request, responder);
    }
  }

  /** It was founded with others, or taken in by them. */
  boolean isMember(int id) {
    return log.status().getVotersList().stream().anyMatch(voter -> voter.getId() == id);
  }

  long inodes() {
    return replica.read(namespace -> namespace.inodes().count());
  }

  @Override
  public void close() {
    lifetimes.close();
  }
}
