package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Regions are created, written from the other host and removed, and both nodes and the devices hold
 * what they held. The system property REGIONS says how many.
 */
@Timeout(value = 30, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RegionLeakIT extends SharedCluster {
  static final String REGIONS = "regionfs.leak.regions";
  private static final int WARM_UP = 20;
  private static final int BYTES = 256 << 10;

  /** What a heap may grow by: 1,000 leaks of a region's memory are found. */
  private static final long NOISE_KIB = 96 << 10;

  private final byte[] data = new byte[BYTES];

  @BeforeAll
  void prepare() throws Exception {
    new Random(1).nextBytes(data);
  }

  @Test
  void regionsLeaveNothingBehind() throws Exception {
    int regions = Integer.getInteger(REGIONS, 50);
    for (int i = 0; i < WARM_UP; i++) {
      cycle(i);
    }
    Holdings before = Holdings.settled(cluster, 1, 2);
    long[] residentBefore = resident();
    for (int i = 0; i < regions; i++) {
      cycle(i);
    }
    Holdings after = Holdings.of(cluster, 1, 2);
    long until = System.nanoTime() + Shell.PATIENCE.toNanos();
    while (!isAsBefore(after, before) && System.nanoTime() - until < 0) {
      cycle(0); // on a busy machine a connection may have been lost: it is made again
      cycle(1);
      Thread.sleep(500);
      after = Holdings.of(cluster, 1, 2);
    }
    assertThat(isAsBefore(after, before)).as("%s as before: %s", after, before).isTrue();
    long[] resident = resident();
    System.out.printf(
        "%d regions: %s; the nodes' KiB %s, then %s%n",
        regions, before.rdma(), Arrays.toString(residentBefore), Arrays.toString(resident));
    for (int host = 0; host < resident.length; host++) {
      assertThat(resident[host] - residentBefore[host])
          .as("growth of node %d in KiB", host + 1)
          .isLessThan(NOISE_KIB);
    }
  }

  private static boolean isAsBefore(Holdings now, Holdings before) {
    return now.hasDevicesAsBefore(before) && now.isAsBefore(before, 1) && now.isAsBefore(before, 2);
  }

  /** A region's home is the host that creates it. */
  private void cycle(int number) throws IOException {
    int home = 1 + number % 2;
    Path there = cluster.mnt(home).resolve("region-" + number);
    Path here = cluster.mnt(3 - home).resolve("region-" + number);
    Files.createFile(there);
    data[0] = (byte) number;
    Files.write(here, data, StandardOpenOption.WRITE);
    assertThat(Arrays.equals(Files.readAllBytes(there), data)).isTrue();
    assertThat(Arrays.equals(Files.readAllBytes(here), data)).isTrue();
    Files.delete(number % 4 < 2 ? here : there);
  }

  private long[] resident() throws IOException, InterruptedException {
    long[] nodes = new long[2];
    for (int host = 1; host <= nodes.length; host++) {
      nodes[host - 1] = Holdings.residentKib(cluster.pid(host));
    }
    return nodes;
  }
}
