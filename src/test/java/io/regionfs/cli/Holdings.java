package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What a cluster's nodes hold that a leak would add to.
 *
 * @param rdma what the kernel says that all processes have of RDMA devices
 * @param nodes of each host that was asked: open descriptors by what they refer to, what is
 *     registered, the regions it lends and the connections from others
 */
record Holdings(String rdma, SortedMap<Integer, SortedMap<String, Long>> nodes) {
  private static final String GONE = "closed meanwhile";
  private static final String REGISTRATIONS = "registrations";

  private static final Pattern WORDS = Pattern.compile("\\s+");
  private static final Pattern NUMBER = Pattern.compile("\\d+");

  /** Registered buffers of threads that a node makes when it has more to do, and keeps. */
  private static final long BUFFERS = 16;

  static Holdings of(ClusterFixture cluster, int... hosts)
      throws IOException, InterruptedException {
    SortedMap<Integer, SortedMap<String, Long>> nodes = new TreeMap<>();
    for (int host : hosts) {
      SortedMap<String, Long> held = descriptors(cluster.pid(host));
      held.put(REGISTRATIONS, cluster.counter(host, "fabric", "registrations"));
      held.put("connections", cluster.counter(host, "fabric", "connectionsFromOthers"));
      held.put("regions", cluster.counter(host, "regions", "own"));
      nodes.put(host, held);
    }
    String rdma =
        FabricUnderTest.isRdma()
            ? cluster.shell.run("rdma", "resource", "show").succeeded().out().strip()
            : "";
    return new Holdings(rdma, nodes);
  }

  /** Whether a host holds what it held before; buffers of its threads may have been added. */
  boolean isAsBefore(Holdings before, int host) {
    SortedMap<String, Long> then = new TreeMap<>(before.nodes.get(host));
    SortedMap<String, Long> now = new TreeMap<>(nodes.get(host));
    long added = now.remove(REGISTRATIONS) - then.remove(REGISTRATIONS);
    return now.equals(then) && added <= BUFFERS;
  }

  /**
   * Whether no process has more of a device than before, memory regions aside: they are the nodes'
   * registrations. A node that was started anew may have less.
   */
  boolean hasDevicesAsBefore(Holdings before) {
    List<String> then = WORDS.splitAsStream(before.rdma).toList();
    List<String> now = WORDS.splitAsStream(rdma).toList();
    boolean same = now.size() == then.size();
    for (int i = 0; same && i < now.size(); i++) {
      boolean memory = i > 0 && now.get(i - 1).equals("mr");
      same = memory || now.get(i).equals(then.get(i)) || isLess(now.get(i), then.get(i));
    }
    return same;
  }

  private static boolean isLess(String now, String then) {
    return NUMBER.matcher(now).matches()
        && NUMBER.matcher(then).matches()
        && Long.parseLong(now) < Long.parseLong(then);
  }

  /** Once they stay the same: things are freed a little after they were closed. */
  static Holdings settled(ClusterFixture cluster, int... hosts)
      throws IOException, InterruptedException {
    Holdings last = of(cluster, hosts);
    long until = System.nanoTime() + Shell.PATIENCE.toNanos();
    for (int same = 0; same < 5; ) {
      assertThat(System.nanoTime() - until).as("still changing: %s", last).isNegative();
      Thread.sleep(300);
      Holdings now = of(cluster, hosts);
      same = now.equals(last) ? same + 1 : 0;
      last = now;
    }
    return last;
  }

  /** In KiB: memory of its own, and what it maps of the memory that it lends. */
  static long residentKib(long pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException("no VmRSS of process " + pid);
  }

  private static SortedMap<String, Long> descriptors(long pid) throws IOException {
    SortedMap<String, Long> kinds = new TreeMap<>();
    Path directory = Path.of("/proc", Long.toString(pid), "fd");
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        kinds.merge(kind(file), 1L, Long::sum);
      }
    }
    kinds.remove(GONE);
    return kinds;
  }

  private static String kind(Path file) throws IOException {
    try {
      return Files.readSymbolicLink(file).toString().replaceAll("\\[[0-9]+]", "");
    } catch (NoSuchFileException e) {
      return GONE;
    }
  }
}
