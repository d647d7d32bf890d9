package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Three hosts and three replicas of the metadata service, whose leader fails in every way while
 * people work: they see a pause, never an error, and nothing is lost, doubled or old.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ReplicatedClusterIT extends SharedCluster {
  private static final int HOSTS = 3;
  private static final List<String> REPLICAS = List.of("meta1", "meta2", "meta3");
  private static final Duration PATIENCE = Work.PATIENCE;

  private final ExecutorService threads = Executors.newCachedThreadPool();

  ReplicatedClusterIT() {
    super(HOSTS, REPLICAS.size());
  }

  @AfterAll
  void stop() {
    threads.shutdownNow();
  }

  /** Whatever a failed test left, the next one starts with three replicas that agree. */
  @AfterEach
  void allReplicasAgree() throws Exception {
    for (String replica : REPLICAS) {
      cluster.cluster("heal", replica).succeeded();
      if (cluster.cluster("pid", replica).exit() != 0) {
        cluster.cluster("start", replica).succeeded();
      }
      cluster.cluster("resume", replica).succeeded();
    }
    await("the replicas agree", () -> verified().exit() == 0);
  }

  private Shell.Result verified() {
    try {
      return cluster.cluster(
          "exec", 1, "--", Shell.REGIONFS, "meta", "status", "--verify", "--meta", addresses());
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String addresses() {
    return "10.78.0.250:7470,10.78.0.249:7470,10.78.0.248:7470";
  }

  private static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited too long: %s", what).isLessThan(end);
      Thread.sleep(50);
    }
  }

  private String leader() throws IOException, InterruptedException {
    return cluster.cluster("leader").succeeded().out().strip();
  }

  /** Something that happens to the leader, and how it ends. */
  private enum Fault {
    KILL("kill", "start"),
    STOP("pause", "resume"),
    CUT("cut", "heal");

    private final String begin;
    private final String end;

    /** All that these hosts can have: replicas go on talking where a cut leaves their TCP alone. */
    static List<Fault> possible() {
      return FabricUnderTest.hasOwnTcp() ? List.of(values()) : List.of(KILL, STOP);
    }

    Fault(String begin, String end) {
      this.begin = begin;
      this.end = end;
    }
  }

  /** Lets the leader fail and come back after another one led, while the work goes on. */
  private void failOver(Fault fault) throws IOException, InterruptedException {
    String failed = leader();
    cluster.cluster(fault.begin, failed).succeeded();
    try {
      await(
          "a new leader after " + fault,
          () -> {
            try {
              Shell.Result found = cluster.cluster("leader");
              return found.exit() == 0 && !found.out().strip().equals(failed);
            } catch (IOException | InterruptedException e) {
              throw new IllegalStateException(e);
            }
          });
    } finally {
      cluster.cluster(fault.end, failed).succeeded();
    }
  }

  /** Everything at once, as on any day. */
  @Test
  void workGoesOnOverFailuresOfTheLeader() throws Exception {
    List<Work<?>> works =
        List.of(
            new ChangingNames(cluster, threads, System.nanoTime()),
            new CountingUnderALock(cluster, threads),
            new CreatingFiles(cluster, threads));
    try {
      for (Work<?> work : works) {
        work.begin();
      }
      for (Fault fault : Fault.possible()) {
        failOver(fault);
        for (Work<?> work : works) {
          work.look();
        }
      }
    } finally {
      for (Work<?> work : works) {
        work.end();
      }
    }
    for (Work<?> work : works) {
      work.check();
    }
  }

  @Test
  void withoutAMajorityPeopleWaitAndThenGoOn() throws Exception {
    Path file = cluster.mnt(2).resolve("waits");
    String leader = leader();
    List<String> others = REPLICAS.stream().filter(r -> !r.equals(leader)).toList();
    for (String other : others) {
      cluster.cluster("kill", other).succeeded();
    }
    Future<Path> writer = threads.submit(() -> Files.writeString(file, "patience"));
    Thread.sleep(4000);
    assertThat(writer.isDone()).as("two of three are down").isFalse();
    cluster.cluster("start", others.get(0)).succeeded();
    writer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    cluster.cluster("start", others.get(1)).succeeded();
    assertThat(Files.readString(cluster.mnt(1).resolve("waits"))).isEqualTo("patience");
  }

  @Test
  void noReadIsStaleOnEitherSideOfAPartition() throws Exception {
    FabricUnderTest.assumeOwnTcp();
    int rounds = Integer.getInteger("regionfs.probe.rounds", 2);
    List<Process> probes = new ArrayList<>();
    List<Future<List<Operation>>> outputs = new ArrayList<>();
    try {
      probes.add(probe("1", "write", addresses().split(",", -1)));
      outputs.add(threads.submit(output(probes.get(0))));
      for (int i = 0; i < REPLICAS.size(); i++) {
        Process reader = probe(REPLICAS.get(i), "read", addresses().split(",", -1)[i]);
        probes.add(reader);
        outputs.add(threads.submit(output(reader)));
      }
      for (int round = 0; round < rounds; round++) {
        failOver(round % 2 == 0 ? Fault.CUT : Fault.STOP);
      }
    } finally {
      for (Process probe : probes) {
        probe.getOutputStream().close();
      }
    }
    List<Operation> all = new ArrayList<>();
    for (Future<List<Operation>> output : outputs) {
      all.addAll(output.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }
    for (Process probe : probes) {
      assertThat(probe.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(probe.exitValue()).isZero();
    }
    assertNoReadIsStale(all);
  }

  /** A line of {@link MetadataProbe}. */
  private record Operation(char kind, long start, long end, long value) {
    static Operation parse(String line) {
      String[] words = line.split(" ", -1);
      return new Operation(
          words[0].charAt(0),
          Long.parseLong(words[1]),
          Long.parseLong(words[2]),
          Long.parseLong(words[3]));
    }
  }

  private Process probe(String host, String kind, String... replicas)
      throws IOException, InterruptedException {
    String own = cluster.cluster("address", host).succeeded().out().strip();
    List<Object> command =
        new ArrayList<>(List.of(Shell.TOP.resolve("scripts/cluster"), "exec", host, "--"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java"));
    command.addAll(List.of("-Xmx64m", "-XX:+UseSerialGC", "-cp", classPath()));
    command.addAll(FabricUnderTest.javaOptions());
    command.addAll(List.of(MetadataProbe.class.getName(), FabricUnderTest.name(), kind, own));
    command.addAll(List.of(replicas));
    return cluster.shell.startWithInput(command.toArray());
  }

  /** The product and the probe, wherever this test's own classes came from. */
  private static String classPath() throws IOException {
    Path probe =
        Path.of(MetadataProbe.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    try (Stream<Path> jars = Files.list(Shell.TOP.resolve("target"))) {
      Path product =
          jars.filter(jar -> jar.getFileName().toString().matches("regionfs-.*-all\\.jar"))
              .findFirst()
              .orElseThrow();
      return product + ":" + probe;
    }
  }

  private static Callable<List<Operation>> output(Process process) {
    return () -> {
      List<Operation> operations = new ArrayList<>();
      try (BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          operations.add(Operation.parse(line));
        }
      }
      return operations;
    };
  }

  private static void assertNoReadIsStale(List<Operation> all) {
    List<Operation> writes = all.stream().filter(o -> o.kind == 'w').toList();
    List<Operation> reads = all.stream().filter(o -> o.kind == 'r').toList();
    assertThat(writes).as("writes").hasSizeGreaterThan(100);
    assertThat(reads).as("reads").hasSizeGreaterThan(100);
    long[] ends = new long[writes.size()];
    long[] newest = new long[writes.size()];
    List<Operation> answered =
        writes.stream().sorted((a, b) -> Long.compare(a.end, b.end)).toList();
    IntStream.range(0, ends.length)
        .forEach(
            i -> {
              ends[i] = answered.get(i).end;
              newest[i] = Math.max(i == 0 ? 0 : newest[i - 1], answered.get(i).value);
            });
    for (Operation read : reads) {
      int at = Arrays.binarySearch(ends, read.start);
      int before = at < 0 ? -at - 2 : at - 1; // the last write answered before the read began
      if (before >= 0) {
        assertThat(read.value)
            .as("%s must see %s", read, answered.get(before))
            .isGreaterThanOrEqualTo(newest[before]);
      }
    }
  }
}
