package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.daemon.Addresses;
import io.regionfs.daemon.Json;
import io.regionfs.posix.LibC;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replicas of a metadata service on this host, and the commands that look after them. */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MetaIT {
  private static final int FIRST_PORT = 17_600;
  private static final int PORTS_TRIED = 400;
  private static final int SIGKILL = 9;

  private final Shell shell = new Shell(Map.of());
  private final Map<Integer, Integer> ports = new HashMap<>();

  @TempDir private Path directory = Path.of("");

  @BeforeEach
  void choosePorts() throws Exception {
    int port = FIRST_PORT;
    for (int id = 1; id <= 4; id++) {
      while (!Addresses.pairIsFree(InetAddress.getByName(FabricUnderTest.address()), port)) {
        port += 2;
        assertThat(port).as("free ports").isLessThan(FIRST_PORT + PORTS_TRIED);
      }
      ports.put(id, port);
      port += 2;
    }
  }

  @AfterEach
  void endAll() throws Exception {
    for (int id = 1; id <= 4; id++) {
      kill(id);
    }
  }

  private Path state(int id) {
    return directory.resolve("replica-" + id);
  }

  private String address(int id) {
    return FabricUnderTest.address() + ":" + ports.get(id);
  }

  private String peers(int... ids) {
    return IntStream.of(ids)
        .mapToObj(id -> id + "=" + address(id))
        .collect(Collectors.joining(","));
  }

  private Shell.Result start(int id, String peers, Object... more) throws Exception {
    List<Object> words =
        new ArrayList<>(
            List.of("meta", "--id", id, "--peers", peers, "--listen", address(id), "--state-dir"));
    words.add(state(id));
    words.addAll(List.of("--election-timeout", 2000, FabricUnderTest.option()));
    words.addAll(List.of(more));
    return shell.regionfs(words.toArray());
  }

  private void kill(int id) throws IOException, InterruptedException {
    Path lock = state(id).resolve("lock");
    if (!Files.exists(lock)) {
      return;
    }
    int pid = Integer.parseInt(Files.readString(lock).strip());
    Path process = Path.of("/proc", Integer.toString(pid), "cmdline");
    if (Files.exists(process) && Files.readString(process).contains(state(id).toString())) {
      LibC.INSTANCE.kill(pid, SIGKILL);
      Shell.await("the killed replica is gone", () -> !Files.exists(process));
    }
  }

  private Shell.Result meta(String command, Object... more) throws Exception {
    List<Object> words = new ArrayList<>(List.of("meta", command));
    words.addAll(List.of(more));
    words.addAll(List.of("--meta", address(1) + "," + address(2), FabricUnderTest.option()));
    return shell.regionfs(words.toArray());
  }

  private Map<?, ?> status() throws Exception {
    return Json.parseObject(meta("status", "--json").out().strip());
  }

  /** Busy machines may take longer to answer than the command waits. */
  private Shell.Result answeredStatus() throws Exception {
    long end = System.nanoTime() + Shell.PATIENCE.toNanos();
    Shell.Result status = meta("status");
    while (status.exit() != 0 && System.nanoTime() - end < 0) {
      status = meta("status");
    }
    return status.succeeded();
  }

  private long awaitLeader() throws Exception {
    long end = System.nanoTime() + Shell.PATIENCE.toNanos();
    while (System.nanoTime() - end < 0) {
      if (status().get("leader") instanceof Long leader && leader != 0) {
        return leader;
      }
    }
    throw new AssertionError("no leader: " + status());
  }

  /** Its disk is known from then on. */
  private void awaitRegistered(int id) throws Exception {
    Path log = state(id).resolve(Background.LOG_FILE);
    Shell.await(
        "replica " + id + " is registered",
        () -> {
          try {
            return Files.readString(log).contains("is registered");
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  @Test
  void threeReplicasAreFoundedKilledMovedAndReplaced() throws Exception {
    String peers = peers(1, 2, 3);
    assertThat(start(3, peers).succeeded().out()).contains("waits for replica 1", "meta status");
    assertThat(start(1, peers).succeeded().out()).contains("waits for replica 2");
    assertThat(answeredStatus().out()).contains("not founded", "waiting");
    start(2, peers).succeeded();
    awaitLeader();
    for (int id = 1; id <= 3; id++) {
      awaitRegistered(id);
    }
    assertThat(meta("transfer", 3).succeeded().out()).contains("replica 3 leads");
    kill(3);
    assertThat(awaitLeader()).isIn(1L, 2L);
    shell.run("rm", "-rf", state(3)).succeeded();
    Shell.Result wiped = start(3, peers);
    assertThat(wiped.exit()).as("%s", wiped).isEqualTo(1);
    assertThat(wiped.err()).contains("another disk", "meta remove 3").hasLineCount(1);
    assertThat(meta("remove", 9).err()).contains("no member", "1, 2, 3");
    meta("remove", 3).succeeded();
    assertThat(meta("add", peers(3)).err()).contains("never used");
    assertThat(meta("add", "2=" + address(4)).err()).contains("member already");
    start(4, peers(1, 2, 4), "--join").succeeded();
    meta("add", peers(4)).succeeded();
    Shell.Result verified = meta("status", "--verify").succeeded();
    assertThat(verified.out()).contains("3 replicas are equal", address(4));
    kill(2);
    assertThat(awaitLeader()).isIn(1L, 4L);
    assertThat(meta("status", "--verify").exit()).isEqualTo(1);
    Shell.Result majority = meta("remove", 4);
    assertThat(majority.exit()).isEqualTo(1);
    assertThat(majority.err()).contains("no majority");
    assertThat(start(2, peers).succeeded().out()).doesNotContain("waits");
    Shell.Result inUse = start(2, peers);
    assertThat(inUse.exit()).isEqualTo(1);
    assertThat(inUse.err()).contains("in use by process").hasLineCount(1);
  }

  @Test
  void whatDoesNotFitIsRefused() throws Exception {
    start(1, peers(1)).succeeded();
    awaitLeader();
    start(2, peers(2)).succeeded();
    kill(2);
    Shell.Result mixed = start(2, peers(1, 2), "--join");
    assertThat(mixed.exit()).isEqualTo(1);
    assertThat(mixed.err()).contains("different clusters are mixed up").hasLineCount(1);
    Object[][] wrong = {
      {peers(1, 2, 3), 4, "no entry for this replica, --id 4"},
      {peers(1, 2), 2, "give 1, 3 or 5"},
      {peers(1) + "," + peers(1), 1, "listed twice"},
      {"1=" + address(1) + ",2=" + address(1) + ",3=" + address(3), 1, "two replicas"},
      {"1=" + address(3), 1, "is not where --peers has replica 1"},
    };
    for (Object[] one : wrong) {
      Shell.Result refused = start((int) one[1], (String) one[0]);
      assertThat(refused.exit()).as("%s", refused).isEqualTo(2);
      assertThat(refused.err()).contains((String) one[2]).hasLineCount(1);
    }
    kill(1);
    Shell.Result other =
        shell.regionfs(
            "meta",
            "--id",
            2,
            "--peers",
            peers(2),
            "--listen",
            address(2),
            "--state-dir",
            state(1));
    assertThat(other.exit()).isEqualTo(1);
    assertThat(other.err()).contains("belongs to replica 1").hasLineCount(1);
    assertThat(meta("status").exit()).isEqualTo(1);
  }
}
