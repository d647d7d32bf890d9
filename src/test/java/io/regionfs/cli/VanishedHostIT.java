package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A host loses its network or its power while another one works with its files, or it with
 * another's: the other hears of it in time, frees what belonged to it, and has it again later.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class VanishedHostIT extends SharedCluster {
  private static final int BYTES = 1 << 20;

  /** A node's lease is 10 s; the rest is for a slow machine. */
  private static final Duration IN_TIME = Shell.patience(Duration.ofSeconds(30));

  private final byte[] data = new byte[BYTES];
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @BeforeAll
  void prepare() throws Exception {
    new Random(1).nextBytes(data);
  }

  /** What a failed test left. */
  @AfterEach
  void bothHostsAreThere() throws Exception {
    cluster.cluster("heal", 1).succeeded();
    if (cluster.cluster("pid", 1).exit() != 0) {
      cluster.cluster("start", 1).succeeded();
    }
  }

  @AfterAll
  void stop() {
    threads.shutdownNow();
  }

  /** What is done again and again until it fails. */
  @FunctionalInterface
  private interface Transfer {
    int at(FileChannel file, ByteBuffer bytes) throws IOException;
  }

  @Test
  void aHomeThatIsCutOffFailsReadsAndWritesInTime() throws Exception {
    home("cut", "heal");
  }

  @Test
  void aHomeThatIsKilledFailsReadsAndWritesInTime() throws Exception {
    home("kill", "start");
  }

  /** Host 1 is the home; host 2 borrows. */
  private void home(String begin, String end) throws Exception {
    workBothWays();
    Holdings before = Holdings.settled(cluster, 1, 2);
    Map<String, CompletableFuture<Long>> failing =
        Map.of(
            "read", start((file, bytes) -> file.read(bytes, 0)),
            "write", start((file, bytes) -> file.write(bytes, 0)));
    long began = System.nanoTime();
    cluster.cluster(begin, 1).succeeded();
    for (Map.Entry<String, CompletableFuture<Long>> one : failing.entrySet()) {
      long failed = one.getValue().get(Shell.PATIENCE.toSeconds(), TimeUnit.SECONDS);
      Duration after = Duration.ofNanos(failed - began);
      System.out.printf("%s: a %s fails after %d ms%n", begin, one.getKey(), after.toMillis());
      assertThat(after).as(one.getKey()).isLessThan(IN_TIME);
    }
    cluster.cluster(end, 1).succeeded();
    sameAs(before);
  }

  /** Returns when transfers go on. */
  private CompletableFuture<Long> start(Transfer transfer) throws Exception {
    AtomicInteger transfers = new AtomicInteger();
    CompletableFuture<Long> failing =
        CompletableFuture.supplyAsync(() -> untilFailure(transfer, transfers), threads);
    Shell.await("transfers go on", () -> transfers.get() > 5);
    return failing;
  }

  /** Returns when it failed, in nanoseconds. */
  private long untilFailure(Transfer transfer, AtomicInteger transfers) {
    ByteBuffer block = ByteBuffer.wrap(data.clone());
    try (FileChannel file =
        FileChannel.open(
            cluster.mnt(2).resolve("of-1"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      while (transfer.at(file, block.clear()) > 0) { // what fails half-way is short, and then fails
        transfers.incrementAndGet();
      }
      throw new AssertionError("the file is empty");
    } catch (IOException e) {
      return System.nanoTime();
    }
  }

  @Test
  void aBorrowerThatIsCutOffHoldsNothing() throws Exception {
    borrower("cut", "heal");
  }

  @Test
  void aBorrowerThatIsKilledHoldsNothing() throws Exception {
    borrower("kill", "start");
  }

  /** Host 1 borrows from host 2. */
  private void borrower(String begin, String end) throws Exception {
    workBothWays();
    Holdings before = Holdings.settled(cluster, 1, 2);
    assertThat(connectionsTo(2)).isPositive();
    long began = System.nanoTime();
    cluster.cluster(begin, 1).succeeded();
    long until = System.nanoTime() + IN_TIME.toNanos();
    while (connectionsTo(2) > 0) {
      assertThat(System.nanoTime() - until).as("the home keeps the connection").isNegative();
      Thread.sleep(100);
    }
    Duration after = Duration.ofNanos(System.nanoTime() - began);
    System.out.printf("%s: its connection is gone after %d ms%n", begin, after.toMillis());
    cluster.cluster(end, 1).succeeded();
    sameAs(before);
  }

  private long connectionsTo(int host) throws IOException, InterruptedException {
    return cluster.counter(host, "fabric", "connectionsFromOthers");
  }

  /** Each host has a file that the other one writes and reads. */
  private void workBothWays() throws IOException {
    for (int home = 1; home <= 2; home++) {
      Path there = cluster.mnt(home).resolve("of-" + home);
      if (!Files.exists(there)) {
        Files.createFile(there);
      }
      Path here = cluster.mnt(3 - home).resolve("of-" + home);
      Files.write(here, data, StandardOpenOption.WRITE);
      assertThat(there).hasBinaryContent(data);
      assertThat(here).hasBinaryContent(data);
    }
  }

  /** Everything works again, and in the end the devices and host 2 hold what they held. */
  private void sameAs(Holdings before) throws IOException, InterruptedException {
    long until = System.nanoTime() + Shell.PATIENCE.toNanos();
    @Nullable Throwable last = null;
    do {
      try {
        workBothWays();
        Holdings now = Holdings.settled(cluster, 1, 2);
        assertThat(now).matches(it -> it.hasDevicesAsBefore(before), "devices as in " + before);
        assertThat(now).matches(it -> it.isAsBefore(before, 2), "host 2 as in " + before);
        return;
      } catch (IOException | AssertionError e) {
        last = e;
        Thread.sleep(200);
      }
    } while (System.nanoTime() - until < 0);
    throw new AssertionError("not as before", last);
  }
}
