package io.regionfs.cli;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a program hears when stores of its mapping cannot be written; what 'refresh' says. */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MappingFailuresIT extends SharedCluster {
  private static final int MIB = 1 << 20;
  private static final int PAGE = 4096;

  /** A file of a MiB of holes, whose home is host 1. */
  private Path holes(String name) throws Exception {
    try (FileChannel file = FileChannel.open(cluster.mnt(1).resolve(name), CREATE, READ, WRITE)) {
      file.write(ByteBuffer.allocate(1), MIB - 1);
    }
    return cluster.mnt(2).resolve(name);
  }

  /** Takes all memory that host 1 lends. */
  private Path fill() throws Exception {
    Path full = cluster.mnt(1).resolve("full");
    long end = 0;
    for (long bytes = 512L * MIB; bytes >= PAGE; bytes /= 2) {
      if (cluster.shell.run("fallocate", "-o", end, "-l", bytes, full).exit() == 0) {
        end += bytes;
      }
    }
    assertThat(end).isGreaterThan(256L * MIB);
    return full;
  }

  @Test
  void storesThatTheHomeHasNoMemoryForAreReportedOnce() throws Exception {
    Path path = holes("sparse");
    try (FileChannel file = FileChannel.open(path, READ, WRITE)) {
      MappedByteBuffer map = file.map(MapMode.READ_WRITE, 0, MIB);
      Path full = fill();
      map.put(100 * PAGE, (byte) 1);
      assertThatThrownBy(map::force)
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining("No space left on device");
      map.force();
      file.force(false);
      Files.delete(full);
      map.put(100 * PAGE, (byte) 2);
      map.force();
    }
    try (FileChannel file = FileChannel.open(cluster.mnt(1).resolve("sparse"))) {
      ByteBuffer one = ByteBuffer.allocate(1);
      assertThat(file.read(one, 100 * PAGE)).isEqualTo(1);
      assertThat(one.get(0)).isEqualTo((byte) 2);
    }
  }

  @Test
  void refreshShowsWhatAnotherHostWrote() throws Exception {
    Path path = holes("shown");
    try (FileChannel file = FileChannel.open(path, READ, WRITE);
        FileChannel home = FileChannel.open(cluster.mnt(1).resolve("shown"), WRITE)) {
      MappedByteBuffer map = file.map(MapMode.READ_WRITE, 0, MIB);
      assertThat(map.get(7)).isZero();
      map.put(8, (byte) 8);
      home.write(ByteBuffer.wrap(new byte[] {7}), 7);
      assertThat(map.get(7)).as("the page is kept until a refresh").isZero();
      Shell.Result refreshed = cluster.shell.regionfs("refresh", path).succeeded();
      assertThat(refreshed.out() + refreshed.err()).isEmpty();
      assertThat(map.get(7)).isEqualTo((byte) 7);
      assertThat(Files.readAllBytes(cluster.mnt(1).resolve("shown"))[8]).isEqualTo((byte) 8);
    }
  }

  @Test
  void refreshSaysWhatItCannotRefresh() throws Exception {
    Path elsewhere = Files.createTempFile("regionfs-elsewhere", "");
    try {
      Shell.Result outside = cluster.shell.regionfs("refresh", elsewhere);
      assertThat(outside.exit()).isEqualTo(1);
      assertThat(outside.err()).contains("is not in a RegionFS mount");
    } finally {
      Files.delete(elsewhere);
    }
    Shell.Result directory = cluster.shell.regionfs("refresh", cluster.mnt(2));
    assertThat(directory.exit()).isEqualTo(1);
    assertThat(directory.err()).contains("is not a file");
    Shell.Result missing = cluster.shell.regionfs("refresh", cluster.mnt(2).resolve("missing"));
    assertThat(missing.exit()).isEqualTo(1);
    assertThat(missing.err()).contains("missing").doesNotContain("Exception");
  }
}
