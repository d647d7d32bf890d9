package io.regionfs.metaserver.raft;

import static io.regionfs.metaserver.ReplicatedLogContract.await;
import static io.regionfs.metaserver.ReplicatedLogContract.createFile;
import static io.regionfs.metaserver.ReplicatedLogContract.has;
import static io.regionfs.metaserver.raft.Cluster.until;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.alipay.sofa.jraft.entity.EnumOutter.ErrorType;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import io.regionfs.metaserver.LogFull;
import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import io.regionfs.metaserver.raft.Cluster.Member;
import io.regionfs.metaserver.raft.RaftOptions.Role;
import io.regionfs.proto.ReplicaAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Replicas that come and go, and the room they need. */
class RaftGroupTest {
  private Path directory;
  private Cluster cluster;

  @BeforeEach
  void start(@TempDir Path temporary) throws IOException {
    directory = temporary;
    cluster = Cluster.start(0, directory);
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  private static String address(InetSocketAddress address) {
    return address.getAddress().getHostAddress() + ":" + address.getPort();
  }

  private static List<Integer> voters(Member member) {
    return member.log().status().getVotersList().stream().map(ReplicaAddress::getId).toList();
  }

  private static void refused(CompletableFuture<?> outcome, Class<? extends Throwable> how) {
    assertThatThrownBy(() -> await(outcome)).hasCauseInstanceOf(how);
  }

  @Test
  void followersRefuseAndKnowTheLeader() throws Exception {
    cluster = Cluster.start(3, directory);
    cluster.run(createFile(1));
    Member follower = cluster.follower();
    until("it knows the leader", () -> !follower.log().leadership().leader().isEmpty());
    String leader =
        address(Objects.requireNonNull(cluster.options(1).replicas().get(cluster.leader().id())));
    assertThat(follower.log().leadership().leader()).isEqualTo(leader);
    assertThat(follower.log().status().getLeader()).isEqualTo(cluster.leader().id());
    long term = follower.log().leadership().term();
    refused(follower.log().propose(createFile(2), term), NotLeading.class);
    refused(follower.log().barrier(), NotLeading.class);
    refused(follower.log().add(9, "127.0.0.1:9"), NotLeading.class);
    refused(cluster.leader().log().propose(createFile(2), term + 1), NotLeading.class);
  }

  @Test
  void aRestartOfAllKeepsEverything() throws Exception {
    cluster = Cluster.start(3, directory);
    for (int i = 0; i < 30; i++) {
      cluster.run(createFile(i));
    }
    cluster.closeAll();
    cluster.openAll();
    cluster.run(createFile(30));
    Member leader = cluster.leader();
    for (int i = 0; i <= 30; i++) {
      assertThat(has(leader.replica(), i)).isTrue();
    }
    cluster.agree();
  }

  @Test
  void theOthersGoOnWithoutTheLeader() throws Exception {
    cluster = Cluster.start(3, directory);
    cluster.run(createFile(1));
    int first = cluster.leader().id();
    cluster.close(first);
    cluster.run(createFile(2));
    assertThat(has(cluster.leader().replica(), 1)).isTrue();
    cluster.open(first);
    cluster.agree();
    assertThat(has(cluster.member(first).replica(), 2)).isTrue();
  }

  @Test
  void aReplicaThatFellBehindGetsASnapshot() throws Exception {
    cluster = Cluster.start(3, directory);
    cluster.run(createFile(0));
    int late = cluster.follower().id();
    cluster.close(late);
    for (int round = 0; round < 2; round++) {
      for (int i = 1; i <= 20; i++) {
        cluster.run(createFile(100 * round + i));
      }
      for (Member member : cluster.members()) {
        await(member.log().snapshot());
      }
    }
    assertThat(cluster.leader().log().lastSnapshot().count()).isEqualTo(2);
    Member back = cluster.open(late);
    cluster.agree();
    assertThat(back.log().status().getSnapshotIndex()).isPositive();
    assertThat(has(back.replica(), 120)).isTrue();
    cluster.close(late);
    cluster.open(late);
    cluster.agree();
  }

  @Test
  void snapshotsAreTakenByThemselvesAndOpenedAgain() throws Exception {
    cluster = Cluster.start(1, directory, "test", o -> o.withSnapshots(Duration.ofMinutes(30), 20));
    for (int i = 0; i < 50; i++) {
      cluster.run(createFile(i));
    }
    RaftLog log = cluster.leader().log();
    until("a snapshot was taken", () -> log.status().getSnapshotIndex() > 0);
    cluster.run(createFile(50));
    long before = await(cluster.leader().log().verify()).fingerprint();
    cluster.closeAll();
    cluster.openAll();
    assertThat(await(cluster.leader().log().verify()).fingerprint()).isEqualTo(before);
  }

  @Test
  void replicasAreAddedAndRemoved() throws Exception {
    cluster = Cluster.start(1, directory);
    cluster.run(createFile(1));
    await(cluster.leader().log().barrier());
    for (int id = 2; id <= 3; id++) {
      InetSocketAddress address = Cluster.freeAddress();
      cluster.openNew(id, address);
      await(cluster.leader().log().add(id, address(address)));
    }
    cluster.run(createFile(2));
    await(cluster.leader().log().barrier());
    cluster.agree();
    assertThat(voters(cluster.leader())).containsExactly(1, 2, 3);
    RaftLog leader = cluster.leader().log();
    refused(leader.add(3, address(Cluster.freeAddress())), IllegalArgumentException.class);
    String taken = leader.status().getVoters(0).getAddress();
    refused(leader.add(4, taken), IllegalArgumentException.class);
    refused(leader.add(4, "nonsense"), IllegalArgumentException.class);
    refused(leader.remove(7), IllegalArgumentException.class);
    await(leader.remove(cluster.follower().id()));
    assertThat(voters(cluster.leader())).hasSize(2);
    int founder = cluster.leader().id();
    await(cluster.leader().log().remove(founder));
    cluster.close(founder);
    cluster.run(createFile(3));
    assertThat(voters(cluster.leader())).doesNotContain(founder).hasSize(1);
    refused(cluster.leader().log().remove(cluster.leader().id()), IllegalArgumentException.class);
  }

  /** A first connection that takes long looks like this to the leader. */
  @Test
  void aReplicaThatAnswersLateIsAddedAllTheSame() throws Exception {
    cluster = Cluster.start(1, directory);
    cluster.run(createFile(1));
    InetSocketAddress address = Cluster.freeAddress();
    CompletableFuture<Void> added = cluster.leader().log().add(2, address(address));
    Thread.sleep(3_000);
    assertThat(added).isNotDone();
    cluster.openNew(2, address);
    await(added);
    assertThat(voters(cluster.leader())).containsExactly(1, 2);
  }

  @Test
  void noMajorityIsGivenAway() throws Exception {
    cluster = Cluster.start(3, directory);
    cluster.run(createFile(1));
    Member dead = cluster.follower();
    cluster.close(dead.id());
    Member alive = cluster.follower();
    refused(cluster.leader().log().remove(alive.id()), IllegalArgumentException.class);
    assertThat(voters(cluster.leader())).hasSize(3);
    await(cluster.leader().log().remove(dead.id()));
    cluster.run(createFile(2));
  }

  @Test
  void leadershipIsHandedOver() throws Exception {
    cluster = Cluster.start(3, directory);
    cluster.run(createFile(1));
    int target = cluster.follower().id();
    await(cluster.leader().log().transfer(target));
    until("it leads", () -> cluster.member(target).log().leadership().leads());
    await(cluster.leader().log().transfer(0));
    until("another leads", () -> cluster.leader().id() != target);
    refused(cluster.leader().log().transfer(9), IllegalArgumentException.class);
    cluster.run(createFile(2));
  }

  @Test
  void anotherClusterIsRefused() throws Exception {
    cluster = Cluster.start(1, directory);
    cluster.run(createFile(1));
    try (Cluster other = Cluster.start(1, directory.resolve("other"), "other", o -> o)) {
      other.run(createFile(2));
      String address = other.leader().log().status().getVoters(0).getAddress();
      refused(cluster.leader().log().add(2, address), IOException.class);
      cluster.run(createFile(3));
      other.run(createFile(4));
      assertThat(has(cluster.leader().replica(), 2)).isFalse();
    }
    RaftOptions own = cluster.options(1);
    cluster.closeAll();
    assertThatThrownBy(
            () ->
                cluster.open(
                    RaftOptions.of(1, own.replicas(), Role.FOUNDER, own.directory(), "other")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cluster test")
        .hasMessageContaining("cluster other");
  }

  @Test
  void onlyALoneReplicaMoves() throws Exception {
    cluster = Cluster.start(1, directory);
    cluster.run(createFile(1));
    cluster.closeAll();
    Map<Integer, InetSocketAddress> moved = Map.of(1, Cluster.freeAddress());
    RaftOptions options =
        RaftOptions.of(1, moved, Role.FOUNDER, cluster.directory(1), "test")
            .withElectionTimeout(Cluster.ELECTION);
    cluster.open(options);
    cluster.run(createFile(2));
    assertThat(has(cluster.leader().replica(), 1)).isTrue();
    InetSocketAddress second = Cluster.freeAddress();
    cluster.openNew(2, second);
    await(cluster.leader().log().add(2, address(second)));
    cluster.close(1);
    assertThatThrownBy(() -> cluster.open(cluster.options(1)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("known to the others");
  }

  @Test
  void aHermitNeedsNoPort() throws Exception {
    Map<Integer, InetSocketAddress> anywhere = Map.of(1, Cluster.freeAddress());
    RaftOptions options =
        RaftOptions.of(1, anywhere, Role.HERMIT, directory.resolve("hermit"), "test");
    Member hermit = cluster.open(options);
    cluster.run(createFile(1));
    await(hermit.log().barrier());
    assertThat(hermit.log().leadership().leader())
        .isEqualTo(address(Objects.requireNonNull(anywhere.get(1))));
    refused(hermit.log().add(2, "127.0.0.1:9"), IllegalArgumentException.class);
    cluster.closeAll();
    Map<Integer, InetSocketAddress> elsewhere = Map.of(1, Cluster.freeAddress());
    cluster.open(RaftOptions.of(1, elsewhere, Role.HERMIT, directory.resolve("hermit"), "test"));
    cluster.run(createFile(2));
    assertThat(has(cluster.leader().replica(), 1)).isTrue();
  }

  @Test
  void aFullDiskIsSaidAndWaitedFor() throws Exception {
    cluster = Cluster.start(1, directory);
    cluster.run(createFile(1));
    RaftLog log = cluster.leader().log();
    cluster.freeBytes(1).set(0);
    until("it says so", () -> !log.status().getTrouble().isEmpty());
    refused(log.propose(createFile(2), log.leadership().term()), LogFull.class);
    await(log.barrier());
    cluster.freeBytes(1).set(Long.MAX_VALUE);
    until("it has room again", () -> log.status().getTrouble().isEmpty());
    cluster.run(createFile(2));
  }

  @Test
  void aLeaderWithoutRoomHandsOver() throws Exception {
    cluster = Cluster.start(3, directory);
    cluster.run(createFile(1));
    int full = cluster.leader().id();
    cluster.freeBytes(full).set(0);
    until("another leads", () -> cluster.leader().id() != full);
    cluster.run(createFile(2));
  }

  @Test
  void aBrokenEngineIsOpenedAgain() throws Exception {
    cluster = Cluster.start(1, directory);
    for (int i = 0; i < 10; i++) {
      cluster.run(createFile(i));
    }
    Member only = cluster.leader();
    Engine engine = Objects.requireNonNull(only.log().lives().engine());
    engine
        .node()
        .onError(new RaftException(ErrorType.ERROR_TYPE_LOG, RaftError.EIO, "as a test wants it"));
    until(
        "it is another engine",
        () -> {
          Engine now = only.log().lives().engine();
          return now != null && now != engine;
        });
    cluster.run(createFile(10));
    for (int i = 0; i <= 10; i++) {
      assertThat(has(only.replica(), i)).isTrue();
    }
    assertThat(only.log().status().getTrouble()).isEmpty();
  }
}
