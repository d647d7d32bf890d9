package io.regionfs.metaserver.raft;

import static io.regionfs.metaserver.ReplicatedLogContract.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import io.regionfs.metaserver.raft.RaftOptions.Role;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/** Replicas in this process, each with a directory and ports of its own on loopback. */
final class Cluster implements AutoCloseable {
  static final Duration ELECTION = Duration.ofSeconds(1);
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  private final Path directory;
  private final String clusterId;
  private final UnaryOperator<RaftOptions> settings;
  private final Map<Integer, InetSocketAddress> founders = new TreeMap<>();
  private final Map<Integer, Member> members = new TreeMap<>();
  private final Map<Integer, AtomicLong> freeBytes = new ConcurrentHashMap<>();

  /** A replica that runs. */
  record Member(int id, Replica replica, RaftLog log) {}

  private Cluster(Path directory, String clusterId, UnaryOperator<RaftOptions> settings) {
    this.directory = directory;
    this.clusterId = clusterId;
    this.settings = settings;
  }

  static Cluster start(int replicas, Path directory) throws IOException {
    return start(replicas, directory, "test", options -> options);
  }

  static Cluster start(
      int replicas, Path directory, String clusterId, UnaryOperator<RaftOptions> settings)
      throws IOException {
    Cluster cluster = new Cluster(directory, clusterId, settings);
    for (int id = 1; id <= replicas; id++) {
      cluster.founders.put(id, freeAddress());
    }
    cluster.openAll();
    return cluster;
  }

  /** With two free ports: this one and the next. */
  static InetSocketAddress freeAddress() {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    int port;
    do {
      port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
    } while (!isFree(loopback, port) || !isFree(loopback, port + 1));
    return new InetSocketAddress(loopback, port);
  }

  private static boolean isFree(InetAddress address, int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, address)) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  RaftOptions options(int id) {
    return settings.apply(
        RaftOptions.of(id, founders, Role.FOUNDER, directory(id), clusterId)
            .withElectionTimeout(ELECTION));
  }

  /** What a replica finds free on its disk. */
  AtomicLong freeBytes(int id) {
    return freeBytes.computeIfAbsent(id, unused -> new AtomicLong(Long.MAX_VALUE));
  }

  Path directory(int id) {
    return directory.resolve("replica-" + id);
  }

  void openAll() throws IOException {
    for (int id : founders.keySet()) {
      if (!members.containsKey(id)) {
        open(options(id));
      }
    }
  }

  Member open(int id) throws IOException {
    return open(options(id));
  }

  /** One that waits to be taken in. */
  Member openNew(int id, InetSocketAddress address) throws IOException {
    return open(
        settings.apply(
            RaftOptions.of(id, Map.of(id, address), Role.JOINER, directory(id), clusterId)
                .withElectionTimeout(ELECTION)));
  }

  @SuppressWarnings("MustBeClosedChecker") // with the member
  Member open(RaftOptions options) throws IOException {
    Replica replica = new Replica();
    RaftLog log = RaftLog.open(options, replica, leadership -> {}, freeBytes(options.id())::get);
    Member member = new Member(options.id(), replica, log);
    members.put(options.id(), member);
    return member;
  }

  void close(int id) {
    Member member = members.remove(id);
    if (member != null) {
      member.log.close();
    }
  }

  void closeAll() {
    List.copyOf(members.keySet()).forEach(this::close);
  }

  List<Member> members() {
    return new ArrayList<>(members.values());
  }

  Member member(int id) {
    return Optional.ofNullable(members.get(id)).orElseThrow();
  }

  Member leader() {
    until("somebody leads", () -> leading().isPresent());
    return leading().orElseThrow();
  }

  /** Of several that think so, as one has not heard yet, the one of the highest term. */
  private Optional<Member> leading() {
    return members.values().stream()
        .filter(member -> member.log.leadership().leads())
        .max((a, b) -> Long.compare(a.log.leadership().term(), b.log.leadership().term()));
  }

  Member follower() {
    int leader = leader().id;
    return members.values().stream()
        .filter(member -> member.id != leader)
        .findFirst()
        .orElseThrow();
  }

  /** Proposes until it is done, as leadership may change meanwhile. */
  Reply run(Command command) throws Exception {
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    while (true) {
      Member leader = leader();
      try {
        return await(leader.log.propose(command, leader.log.leadership().term()));
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof NotLeading) || System.nanoTime() > deadline) {
          throw e;
        }
      }
    }
  }

  /** Waits until all have applied the same, and checks that it gave the same state. */
  void agree() throws Exception {
    long index = leader().log.status().getLastLogIndex();
    List<Long> fingerprints = new ArrayList<>();
    for (Member member : members()) {
      until(
          "replica " + member.id + " has applied entry " + index,
          () -> member.log.status().getAppliedIndex() >= index);
      fingerprints.add(await(member.log.verify()).fingerprint());
    }
    assertThat(fingerprints.stream().distinct()).hasSize(1);
  }

  static void until(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not in time: " + what);
      }
      try {
        Thread.sleep(10);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Override
  public void close() {
    closeAll();
  }
}
