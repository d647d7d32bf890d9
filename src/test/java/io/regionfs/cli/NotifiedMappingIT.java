package io.regionfs.cli;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** With -o coherent=notify mappings follow other hosts' changes without the program's help. */
class NotifiedMappingIT {
  private static final int CHANGES = 30;

  @Test
  @SuppressWarnings("try") // an interrupt while the cluster goes down ends the test
  void mappingsFollowWritesOfOtherHosts() throws Exception {
    try (ClusterFixture cluster = new ClusterFixture(2, 1, "-o", "coherent=notify,nopassthrough")) {
      follow(cluster.mnt(1).resolve("written"), cluster.mnt(2).resolve("written"), false);
    }
  }

  @Test
  @SuppressWarnings("try") // an interrupt while the cluster goes down ends the test
  void mappingsFollowStoresOnTheHome() throws Exception {
    try (ClusterFixture cluster = new ClusterFixture(2, 1, "-o", "coherent=notify")) {
      follow(cluster.mnt(1).resolve("stored"), cluster.mnt(2).resolve("stored"), true);
    }
  }

  private static void follow(Path changed, Path mapped, boolean byStores) throws Exception {
    try (FileChannel writer = FileChannel.open(changed, CREATE, READ, WRITE)) {
      writer.write(ByteBuffer.allocate(4 * 4096), 0);
      MappedByteBuffer stores = writer.map(MapMode.READ_WRITE, 0, 4 * 4096);
      try (FileChannel reader = FileChannel.open(mapped, READ)) {
        MappedByteBuffer map = reader.map(MapMode.READ_ONLY, 0, 4 * 4096);
        long[] millis = new long[CHANGES];
        for (int i = 0; i < CHANGES; i++) {
          int at = i * 300;
          byte value = (byte) (i + 1);
          assertThat(map.get(at)).isZero();
          if (byStores) {
            stores.put(at, value);
          } else {
            writer.write(ByteBuffer.wrap(new byte[] {value}), at);
          }
          long begin = System.nanoTime();
          while (map.get(at) != value) {
            assertThat(System.nanoTime() - begin).isLessThan(Shell.PATIENCE.toNanos());
            Thread.sleep(1);
          }
          millis[i] = (System.nanoTime() - begin) / 1_000_000;
        }
        Arrays.sort(millis);
        System.out.printf(
            "a mapping shows changes after %d ms (median), %d ms (most) of %d%n",
            millis[CHANGES / 2], millis[CHANGES - 1], CHANGES);
      }
    }
  }
}
