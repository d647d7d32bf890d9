package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Regions that live as long as the process that exports them, on two hosts. */
class LifetimeIT extends SharedCluster {
  /** A region goes within the lease of its home (10 s) and a margin. */
  private static final Duration LEASE = Duration.ofSeconds(10);

  private static final long MOST_SECONDS =
      10 + 10L * Integer.getInteger("regionfs.test.patience", 1);

  /** Makes the file, exports it and lives until it is killed, or told to end by its input. */
  private Process owner(String name) throws Exception {
    Path file = cluster.mnt(1).resolve(name);
    String program =
        "exec 3>>'FILE'; printf 'bytes of the owner' >&3; read end"
            .replace("FILE", file.toString());
    Process owner = cluster.shell.startWithInput("sh", "-c", program);
    Shell.await("the owner has written", () -> size(file) > 0);
    set(file, "owner");
    return owner;
  }

  private static long size(Path file) {
    try {
      return Files.exists(file) ? Files.size(file) : -1;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static UserDefinedFileAttributeView attributes(Path file) {
    return Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
  }

  private static void set(Path file, String lifetime) throws IOException {
    attributes(file)
        .write("regionfs.lifetime", ByteBuffer.wrap(lifetime.getBytes(StandardCharsets.UTF_8)));
  }

  private static String get(Path file, String name) throws IOException {
    ByteBuffer value = ByteBuffer.allocate(100);
    attributes(file).read(name, value);
    return new String(value.array(), 0, value.position(), StandardCharsets.UTF_8);
  }

  private static void awaitGone(Path file) throws InterruptedException {
    long begin = System.nanoTime();
    Shell.await(file + " is gone", () -> !Files.exists(file));
    assertThat(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin))
        .isLessThanOrEqualTo(MOST_SECONDS);
  }

  @Test
  void aRegionGoesWhenItsProcessExitsAndBorrowersAreTold() throws Exception {
    Process owner = owner("exits");
    Path borrowed = cluster.mnt(2).resolve("exits");
    assertThat(get(borrowed, "regionfs.lifetime")).isEqualTo("owner");
    assertThat(get(borrowed, "regionfs.exporter")).endsWith(" " + owner.pid());
    try (RandomAccessFile reader = new RandomAccessFile(borrowed.toFile(), "r")) {
      assertThat(reader.read()).isEqualTo('b');
      owner.getOutputStream().close();
      awaitGone(borrowed);
      awaitGone(cluster.mnt(1).resolve("exits"));
      assertThatThrownBy(() -> reader.read(new byte[3]))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("Stale file handle");
    }
  }

  @Test
  void aRegionGoesWhenItsProcessIsKilledAndWhoHasItOpenAtHomeSeesNoOldBytes() throws Exception {
    Process owner = owner("killed");
    Path local = cluster.mnt(1).resolve("killed");
    try (RandomAccessFile reader = new RandomAccessFile(local.toFile(), "r")) {
      assertThat(reader.read()).isEqualTo('b');
      owner.destroyForcibly();
      awaitGone(cluster.mnt(2).resolve("killed"));
      Shell.await("no old bytes", () -> isEmpty(reader));
    }
  }

  private static boolean isEmpty(RandomAccessFile file) {
    try {
      file.seek(0);
      return file.read() < 0;
    } catch (IOException e) {
      return true;
    }
  }

  @Test
  void aMappingOfABorrowerEndsWithABusError() throws Exception {
    Process owner = owner("mapped");
    Path borrowed = cluster.mnt(2).resolve("mapped");
    String program =
        """
        import mmap, os, sys, time
        m = mmap.mmap(os.open(sys.argv[1], os.O_RDONLY), 0, prot=mmap.PROT_READ)
        print(chr(m[0]), flush=True)
        while True:
            m[0]
            time.sleep(0.01)
        """;
    Process mapper = cluster.start(2, "python3", "-c", program, borrowed);
    try {
      assertThat(mapper.getInputStream().read()).isEqualTo('b');
      owner.destroyForcibly();
      assertThat(mapper.waitFor(MOST_SECONDS, TimeUnit.SECONDS)).as("the mapper ends").isTrue();
      assertThat(mapper.exitValue()).isIn(128 + 7, 256 - 7, 135);
    } finally {
      mapper.descendants().forEach(ProcessHandle::destroyForcibly);
      mapper.destroyForcibly();
    }
  }

  @Test
  void aRegionGoesWhenTheNodeOfItsHomeIsKilled() throws Exception {
    Process owner = owner("homeless");
    Path borrowed = cluster.mnt(2).resolve("homeless");
    try (RandomAccessFile reader = new RandomAccessFile(borrowed.toFile(), "r")) {
      assertThat(reader.read()).isEqualTo('b');
      cluster.cluster("kill", 1).succeeded();
      awaitGone(borrowed);
      reader.seek(0);
      assertThatThrownBy(reader::read).isInstanceOf(IOException.class);
    } finally {
      owner.destroyForcibly();
      cluster.cluster("start", 1).succeeded();
    }
    assertThat(Files.exists(cluster.mnt(1).resolve("homeless"))).isFalse();
  }

  @Test
  void aNodeThatIsBackInTimeWatchesOn() throws Exception {
    Process owner = owner("back");
    try {
      long killed = System.nanoTime();
      cluster.cluster("kill", 1).succeeded();
      cluster.cluster("start", 1).succeeded();
      assumeThat(Duration.ofNanos(System.nanoTime() - killed))
          .as("how long the node was away, which is longer than its lease where machines are slow")
          .isLessThan(LEASE);
      assertThat(cluster.mnt(2).resolve("back")).hasContent("bytes of the owner");
    } finally {
      owner.destroyForcibly();
    }
    awaitGone(cluster.mnt(2).resolve("back"));
  }

  @Test
  void theLifetimeIsChangedByAnAttributeAndRefusedWhereItMakesNoSense() throws Exception {
    Path file = Files.writeString(cluster.mnt(1).resolve("attribute"), "text");
    assertThat(get(file, "regionfs.lifetime")).isEqualTo("file");
    assertThatThrownBy(() -> get(file, "regionfs.exporter")).hasMessageContaining("No data");
    assertThatThrownBy(() -> set(file, "owner")).hasMessageContaining("Invalid argument");
    assertThatThrownBy(() -> set(file, "forever")).hasMessageContaining("Invalid argument");
    assertThatThrownBy(() -> set(file, "owner:999999999")).hasMessageContaining("No such process");
    assertThatThrownBy(() -> set(cluster.mnt(2).resolve("attribute"), "owner:1"))
        .hasMessageContaining("not supported");
    set(file, "owner:" + ProcessHandle.current().pid());
    assertThat(cluster.shell.regionfs("region", file).succeeded().out())
        .contains("process " + ProcessHandle.current().pid());
    set(file, "file");
    assertThat(get(file, "regionfs.lifetime")).isEqualTo("file");
    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
      new RandomAccessFile(file.toFile(), "rw").close();
      open.write(1);
      set(file, "owner");
      assertThat(get(file, "regionfs.exporter")).endsWith(" " + ProcessHandle.current().pid());
      set(file, "file");
    }
  }
}
