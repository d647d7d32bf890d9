package io.regionfs.cli;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What -o coherent= promises for mappings, on three hosts that have notify. */
class CoherentOptionIT extends SharedCluster {
  private static final int CHANGES = 30;
  private static final int PAGES = 4 * 4096;

  CoherentOptionIT() {
    super(3, 1, "-o", "coherent=notify");
  }

  @Test
  void withNotifyMappingsFollowOneSidedWrites() throws Exception {
    Files.createFile(cluster.mnt(1).resolve("written"));
    follow(cluster.mnt(2).resolve("written"), cluster.mnt(3).resolve("written"), false);
  }

  @Test
  void withNotifyMappingsFollowStoresOnTheHome() throws Exception {
    follow(cluster.mnt(1).resolve("stored"), cluster.mnt(2).resolve("stored"), true);
  }

  @Test
  void withNoneOnlyARefreshBringsAMappingUpToDate() throws Exception {
    Path mnt = Files.createDirectory(cluster.directory.resolve("none"));
    List<Object> mount =
        new ArrayList<>(List.of(Shell.REGIONFS, "mount", mnt, "--meta", ClusterFixture.METADATA));
    mount.addAll(List.of("--state-dir", cluster.directory.resolve("none-state"), "--memory=64M"));
    mount.addAll(List.of("--name=none", "-o", "coherent=none"));
    String address = cluster.cluster("address", 2).succeeded().out().strip();
    mount.addAll(List.of(FabricUnderTest.option(), "--listen=" + address + ":7480"));
    cluster.exec(2, mount.toArray()).succeeded();
    try {
      staysUntilRefreshed(cluster.mnt(1).resolve("own"), mnt.resolve("own"));
    } finally {
      System.gc(); // unmaps
      cluster.exec(2, Shell.REGIONFS, "umount", "--discard", mnt).succeeded();
    }
  }

  private void staysUntilRefreshed(Path changed, Path mapped) throws Exception {
    Files.write(changed, new byte[] {1});
    try (FileChannel file = FileChannel.open(mapped, READ, WRITE)) {
      MappedByteBuffer map = file.map(MapMode.READ_WRITE, 0, 1);
      assertThat(map.get(0)).isEqualTo((byte) 1);
      Files.write(changed, new byte[] {2}, WRITE);
      assertThat(mapped).hasBinaryContent(new byte[] {2}); // opens it, and reads
      file.lock().release();
      assertThat(map.get(0)).isEqualTo((byte) 1);
      cluster.exec(2, Shell.REGIONFS, "refresh", mapped).succeeded();
      assertThat(map.get(0)).isEqualTo((byte) 2);
    }
  }

  private static void follow(Path changed, Path mapped, boolean byStores) throws Exception {
    try (FileChannel writer = FileChannel.open(changed, CREATE, READ, WRITE)) {
      writer.write(ByteBuffer.allocate(PAGES), 0);
      MappedByteBuffer stores = writer.map(MapMode.READ_WRITE, 0, PAGES);
      try (FileChannel reader = FileChannel.open(mapped, READ)) {
        MappedByteBuffer map = reader.map(MapMode.READ_ONLY, 0, PAGES);
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
