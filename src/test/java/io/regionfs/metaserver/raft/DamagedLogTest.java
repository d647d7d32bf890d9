package io.regionfs.metaserver.raft;

import static io.regionfs.metaserver.ReplicatedLogContract.await;
import static io.regionfs.metaserver.ReplicatedLogContract.createFile;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.metaserver.raft.RaftOptions.Role;
import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.Reply;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A damaged directory is refused, or gives what was there at some time; never anything else. */
class DamagedLogTest {
  private static final int TRIALS = 40;
  private static final int COMMANDS = 60;

  private final Set<Long> prefixes = new HashSet<>();
  private Path directory;
  private Path original;
  private int opened;

  @BeforeEach
  void write(@TempDir Path temporary) throws Exception {
    directory = temporary;
    original = directory.resolve("original");
    Replica expected = new Replica();
    prefixes.add(expected.read(Namespace::fingerprint));
    // Three lives: some of the log in tables, some of it still in the write-ahead log.
    for (int life = 0; life < 3; life++) {
      try (RaftLog log = RaftLog.open(options(original, true), new Replica())) {
        Cluster.until("it leads", () -> log.leadership().leads());
        List<CompletableFuture<Reply>> replies = new ArrayList<>();
        for (int i = 0; i < COMMANDS / 3; i++) {
          int number = life * COMMANDS / 3 + i;
          expected.apply(createFile(number));
          prefixes.add(expected.read(Namespace::fingerprint));
          replies.add(log.propose(createFile(number), log.leadership().term()));
        }
        for (CompletableFuture<Reply> reply : replies) {
          await(reply);
        }
        if (life == 0) {
          await(log.snapshot());
        }
      }
    }
  }

  private static RaftOptions options(Path state, boolean fsync) {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
    return RaftOptions.of(1, Map.of(1, address), Role.HERMIT, state, "test").withFsync(fsync);
  }

  private Path copy(int trial) throws IOException {
    Path copy = directory.resolve("trial-" + trial);
    try (Stream<Path> files = Files.walk(original)) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(original.relativize(file)));
      }
    }
    return copy;
  }

  /** True if it opened. */
  private boolean check(Path state, boolean fsync) throws Exception {
    Replica replica = new Replica();
    try (RaftLog log = RaftLog.open(options(state, fsync), replica)) {
      Cluster.until(
          "it leads or says why not",
          () -> log.leadership().leads() || !log.status().getTrouble().isEmpty());
      if (!log.leadership().leads()) {
        return false;
      }
      assertThat(prefixes).contains(replica.read(Namespace::fingerprint));
      return true;
    } catch (IOException e) {
      assertThat(e.getMessage()).contains(state.toString());
      return false;
    }
  }

  private static void open(Path state) throws IOException {
    try (RaftLog log = RaftLog.open(options(state, true), new Replica())) {
      assertThat(log.leadership()).isNotNull();
    }
  }

  private interface Damage {
    byte[] to(byte[] content, Random random);
  }

  private void damage(Damage damage, boolean fsync) throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int trial = 0; trial < TRIALS; trial++) {
      Path state = copy(trial);
      List<Path> files;
      try (Stream<Path> all = Files.walk(state)) {
        files =
            all.filter(Files::isRegularFile)
                .filter(file -> !file.getFileName().toString().matches("LOG.*|LOCK|IDENTITY"))
                .sorted()
                .toList();
      }
      Path victim = files.get(random.nextInt(files.size()));
      byte[] content = Files.readAllBytes(victim);
      if (content.length == 0) {
        continue;
      }
      Files.write(victim, damage.to(content, random));
      assertThat(check(state, fsync)).as("%s, seed %d", victim, seed).isIn(true, false);
      opened++;
    }
  }

  private static byte[] cut(byte[] content, Random random) {
    return Arrays.copyOf(content, random.nextInt(content.length));
  }

  private static byte[] flip(byte[] content, Random random) {
    content[random.nextInt(content.length)] ^= (byte) (1 << random.nextInt(8));
    return content;
  }

  @Test
  void aFileThatEndsEarly() throws Exception {
    damage(DamagedLogTest::cut, false);
    assertThat(opened).isPositive();
  }

  @Test
  void aFileThatEndsEarlyOnADiskThatDoesNotLie() throws Exception {
    damage(DamagedLogTest::cut, true);
    assertThat(opened).isPositive();
  }

  @Test
  void aFlippedBit() throws Exception {
    damage(DamagedLogTest::flip, true);
    assertThat(opened).isPositive();
  }

  @Test
  void whatWasAcknowledgedIsMissed() throws Exception {
    Path state = copy(0);
    try (Stream<Path> all = Files.list(state.resolve("log"))) {
      Path last = all.filter(file -> file.toString().endsWith(".log")).sorted().toList().get(0);
      byte[] content = Files.readAllBytes(last);
      Files.write(last, Arrays.copyOf(content, content.length / 2));
    }
    assertThatThrownBy(() -> open(state))
        .isInstanceOf(CorruptLog.class)
        .hasMessageContaining("had reached")
        .hasMessageContaining("meta remove");
  }

  @Test
  void aDamagedVoteIsNotBelieved() throws Exception {
    Path state = copy(0);
    Path vote = state.resolve("vote");
    byte[] content = Files.readAllBytes(vote);
    content[12] ^= 1;
    Files.write(vote, content);
    assertThatThrownBy(() -> open(state))
        .isInstanceOf(CorruptLog.class)
        .hasMessageContaining(vote.toString());
    Files.delete(vote);
    assertThatThrownBy(() -> open(state)).isInstanceOf(CorruptLog.class);
  }

  @Test
  void aDamagedSnapshotIsRefused() throws Exception {
    for (String name : List.of("state", "seal", "__raft_snapshot_meta")) {
      Path state = copy(name.length());
      try (Stream<Path> all = Files.walk(state.resolve("snapshot"))) {
        Path file = all.filter(f -> f.endsWith(name)).findFirst().orElseThrow();
        byte[] content = Files.readAllBytes(file);
        content[content.length / 2] ^= 1;
        Files.write(file, content);
      }
      assertThatThrownBy(() -> open(state))
          .isInstanceOf(CorruptLog.class)
          .hasMessageContaining("snapshot");
    }
  }
}
