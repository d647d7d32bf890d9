package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Three hosts on one network, each with its node and mount. */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClusterIT extends SharedCluster {
  private static final int HOSTS = 3;
  private static final int MIB = 1 << 20;

  ClusterIT() {
    super(HOSTS, 1);
  }

  private static byte[] random(long seed, int bytes) {
    byte[] data = new byte[bytes];
    new Random(seed).nextBytes(data);
    return data;
  }

  @Test
  void whatOneHostWritesTheOthersRead() throws Exception {
    byte[] data = random(1, 9 * MIB + 17);
    Files.createDirectories(cluster.mnt(1).resolve("shared/deep"));
    Files.write(cluster.mnt(1).resolve("shared/deep/file"), data);
    for (int host = 2; host <= HOSTS; host++) {
      assertThat(cluster.mnt(host).resolve("shared/deep/file")).hasBinaryContent(data);
    }
    byte[] changed = random(2, 3 * MIB);
    try (FileChannel file =
        FileChannel.open(cluster.mnt(2).resolve("shared/deep/file"), StandardOpenOption.WRITE)) {
      assertThat(file.write(ByteBuffer.wrap(changed), 4 * MIB)).isEqualTo(changed.length);
    }
    System.arraycopy(changed, 0, data, 4 * MIB, changed.length);
    assertThat(cluster.mnt(1).resolve("shared/deep/file")).hasBinaryContent(data);
    Files.delete(cluster.mnt(3).resolve("shared/deep/file"));
    assertThat(cluster.mnt(1).resolve("shared/deep/file")).doesNotExist();
  }

  @Test
  void growthIsSeenByTheNextStatAndRead() throws Exception {
    Path here = cluster.mnt(1).resolve("growing");
    Path there = cluster.mnt(2).resolve("growing");
    Files.createFile(here);
    StringBuilder all = new StringBuilder();
    try (FileChannel reader = FileChannel.open(there)) {
      for (int i = 0; i < 50; i++) {
        Files.writeString(here, "line " + i + "\n", StandardOpenOption.APPEND);
        all.append("line ").append(i).append('\n');
        assertThat(reader.size()).isEqualTo(all.length());
        assertThat(Files.size(there)).isEqualTo(all.length());
        ByteBuffer read = ByteBuffer.allocate(all.length() + 100);
        assertThat(reader.read(read, 0)).isEqualTo(all.length());
        assertThat(new String(read.array(), 0, read.position(), StandardCharsets.UTF_8))
            .isEqualTo(all.toString());
      }
    }
  }

  @Test
  void appendsOfThreeHostsAreAllThereAndWhole() throws Exception {
    int lines = 300;
    Files.createFile(cluster.mnt(1).resolve("log"));
    ExecutorService hosts = Executors.newFixedThreadPool(HOSTS);
    try {
      List<CompletableFuture<Void>> done =
          IntStream.rangeClosed(1, HOSTS)
              .mapToObj(host -> CompletableFuture.runAsync(() -> append(host, lines), hosts))
              .toList();
      for (CompletableFuture<Void> one : done) {
        one.get(Shell.PATIENCE.toSeconds(), TimeUnit.SECONDS);
      }
    } finally {
      hosts.shutdownNow();
    }
    List<String> expected = new ArrayList<>();
    for (int host = 1; host <= HOSTS; host++) {
      for (int i = 0; i < lines; i++) {
        expected.add(line(host, i));
      }
    }
    assertThat(Files.readAllLines(cluster.mnt(3).resolve("log")))
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  private static String line(int host, int i) {
    return "host " + host + " line " + i + " " + "x".repeat(i % 90);
  }

  private void append(int host, int lines) {
    try {
      for (int i = 0; i < lines; i++) {
        Files.writeString(
            cluster.mnt(host).resolve("log"), line(host, i) + "\n", StandardOpenOption.APPEND);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void readsOfExposedMemoryCallNobody() throws Exception {
    byte[] data = random(3, 32 * MIB);
    Files.write(cluster.mnt(1).resolve("exposed"), data);
    try (FileChannel file = FileChannel.open(cluster.mnt(2).resolve("exposed"))) {
      assertThat(readAll(file)).isEqualTo(data);
      long calls = cluster.counter(1, "homeCalls", "total");
      long queries = metadataCalls();
      for (int i = 0; i < 8; i++) {
        assertThat(readAll(file)).isEqualTo(data);
      }
      assertThat(cluster.counter(1, "homeCalls", "total")).isEqualTo(calls);
      // Leases are renewed and status asks; 256 reads of 1 MiB are none of it.
      assertThat(metadataCalls() - queries).isLessThan(100);
    }
  }

  private long metadataCalls() throws IOException, InterruptedException {
    return cluster.counter(3, "metadata", "queries") + cluster.counter(3, "metadata", "commands");
  }

  private static byte[] readAll(FileChannel file) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(file.size()));
    while (all.hasRemaining()) {
      int limit = Math.min(all.capacity(), all.position() + MIB);
      ByteBuffer piece = all.duplicate().limit(limit);
      int bytes = file.read(piece, all.position());
      if (bytes <= 0) {
        break;
      }
      all.position(all.position() + bytes);
    }
    return all.array();
  }

  @Test
  void aKilledHomeFailsItsRegionsAndHasThemAgainAfterTheStart() throws Exception {
    byte[] data = random(4, 4 * MIB);
    Files.write(cluster.mnt(3).resolve("survivor"), data);
    Files.write(cluster.mnt(3).resolve("written"), new byte[MIB]);
    AtomicBoolean stop = new AtomicBoolean();
    AtomicInteger writes = new AtomicInteger();
    CompletableFuture<Integer> writer =
        CompletableFuture.supplyAsync(() -> writeUntilFailure(stop, writes));
    Shell.await("writes go on", () -> writes.get() > 3);
    cluster.cluster("kill", 3).succeeded();
    try {
      assertThat(writer.get(Shell.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isPositive();
    } finally {
      stop.set(true);
    }
    assertThatThrownBy(() -> Files.readAllBytes(cluster.mnt(1).resolve("survivor")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Input/output error");
    Files.writeString(cluster.mnt(1).resolve("elsewhere"), "the rest works");
    assertThat(cluster.mnt(2).resolve("elsewhere")).hasContent("the rest works");
    cluster.cluster("start", 3).succeeded();
    assertThat(cluster.mnt(3).resolve("survivor")).hasBinaryContent(data);
    assertThat(cluster.mnt(1).resolve("survivor")).hasBinaryContent(data);
    assertThat(cluster.mnt(2).resolve("elsewhere")).hasContent("the rest works");
  }

  /** Returns how many writes succeeded before one failed. */
  private int writeUntilFailure(AtomicBoolean stop, AtomicInteger writes) {
    ByteBuffer block = ByteBuffer.allocate(MIB);
    try (FileChannel file =
        FileChannel.open(cluster.mnt(1).resolve("written"), StandardOpenOption.WRITE)) {
      while (!stop.get()) {
        file.write(block.clear(), 0);
        writes.incrementAndGet();
      }
      throw new AssertionError("no write failed");
    } catch (IOException e) {
      return writes.get();
    }
  }

  @Test
  void aPausedOrCutHostIsWaitedFor() throws Exception {
    byte[] data = random(5, 2 * MIB);
    Files.write(cluster.mnt(2).resolve("slow"), data);
    assertThat(cluster.mnt(1).resolve("slow")).hasBinaryContent(data);
    cluster.cluster("pause", 2).succeeded();
    CompletableFuture<byte[]> paused = CompletableFuture.supplyAsync(() -> read(1, "slow"));
    cluster.cluster("resume", 2).succeeded();
    assertThat(paused.get(Shell.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(data);
    cluster.cluster("cut", 2).succeeded();
    CompletableFuture<byte[]> cut = CompletableFuture.supplyAsync(() -> read(1, "slow"));
    cluster.cluster("heal", 2).succeeded();
    assertThat(cut.get(Shell.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo(data);
  }

  @Test
  void aHostThatIsCutIsShownAndHealsWhateverTimeItTook() throws Exception {
    byte[] data = random(6, MIB);
    Files.write(cluster.mnt(2).resolve("away"), data);
    cluster.cluster("cut", 2).succeeded();
    assertThat(cluster.cluster("status").succeeded().out()).contains("up,cut");
    cluster.cluster("heal", 2).succeeded();
    Shell.await("host 2 is reached again", () -> Arrays.equals(readOrNothing(1, "away"), data));
    Shell.await("it takes part again", () -> Arrays.equals(readOrNothing(2, "away"), data));
  }

  private byte[] readOrNothing(int host, String name) {
    try {
      return read(host, name);
    } catch (UncheckedIOException e) {
      return new byte[0];
    }
  }

  private byte[] read(int host, String name) {
    try (InputStream in = Files.newInputStream(cluster.mnt(host).resolve(name))) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theScriptSaysWhatIsWrong() throws Exception {
    assertThat(cluster.cluster("kill", 9).exit()).isEqualTo(2);
    assertThat(cluster.cluster("kill", 9).err()).contains("there is no host 9");
    assertThat(cluster.cluster("start", 1).err()).contains("runs already");
    assertThat(cluster.cluster("up", 2).err()).contains("is up already");
    assertThat(cluster.cluster("frobnicate").exit()).isEqualTo(2);
    assertThat(cluster.cluster("exec", 1, "--", "sh", "-c", "exit 7").exit()).isEqualTo(7);
    assertThat(cluster.cluster("exec", 2, "--", "ip", "-br", "addr").out())
        .contains("10.78.0.2/24");
    assertThat(cluster.cluster("mount-dir", 1).out().strip()).isEqualTo(cluster.mnt(1).toString());
    assertThat(cluster.status(1).get("nodes"))
        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.LIST)
        .hasSize(HOSTS);
  }
}
