package io.regionfs.cli;

import static org.assertj.core.api.Assumptions.assumeThat;

import io.regionfs.daemon.ControlClient;
import io.regionfs.daemon.Directories;
import io.regionfs.daemon.RunningMounts;
import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Hosts as network namespaces, made by scripts/cluster in a directory of their own. Closing it
 * takes all of it away, whatever a failed test left.
 */
@SuppressWarnings("try") // closed by tests, which may be interrupted
final class ClusterFixture implements AutoCloseable {
  /** The first replica of the metadata service. */
  static final String METADATA = "10.78.0.250:7470";

  private static final Path SCRIPT = Shell.TOP.resolve("scripts/cluster");

  final Path directory;
  final Shell shell;
  private final int hosts;

  ClusterFixture(int hosts) throws IOException, InterruptedException {
    this(hosts, 1);
  }

  /**
   * @param mountOptions of every host
   */
  ClusterFixture(int hosts, int replicas, Object... mountOptions)
      throws IOException, InterruptedException {
    this.hosts = hosts;
    assumeThat(LibC.INSTANCE.getuid()).as("root, to make network namespaces").isZero();
    Path parent = Files.createTempDirectory("regionfs-cluster-it").toRealPath();
    directory = parent.resolve("cluster");
    shell = new Shell(Map.of("REGIONFS_CLUSTER_DIR", directory.toString()));
    boolean up = false;
    try {
      List<Object> command =
          new ArrayList<>(List.of("up", hosts, "--meta", replicas, "--memory", "512M"));
      command.addAll(FabricUnderTest.clusterOptions());
      command.add("--");
      command.addAll(List.of(mountOptions));
      cluster(command.toArray()).succeeded();
      up = true;
    } finally {
      if (!up) {
        close();
      }
    }
  }

  /** How many there are; their numbers begin with 1. */
  int hosts() {
    return hosts;
  }

  Shell.Result cluster(Object... arguments) throws IOException, InterruptedException {
    Object[] command = new Object[arguments.length + 1];
    command[0] = SCRIPT;
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    return shell.run(command);
  }

  /** Runs a command on a host. */
  Shell.Result exec(int host, Object... command) throws IOException, InterruptedException {
    return shell.run(onHost(host, command));
  }

  /** Starts one; the caller ends it. */
  Process start(int host, Object... command) throws IOException {
    return shell.start(onHost(host, command));
  }

  private static Object[] onHost(int host, Object... command) {
    List<Object> words = new ArrayList<>(List.of(SCRIPT, "exec", host, "--"));
    words.addAll(List.of(command));
    return words.toArray();
  }

  /** The mount of a host; files there are the host's, whoever opens them. */
  Path mnt(int host) {
    return directory.resolve("host-" + host).resolve("mnt");
  }

  /** The process of a host's node. */
  long pid(int host) throws IOException, InterruptedException {
    return Long.parseLong(cluster("pid", host).succeeded().out().strip());
  }

  /** As 'regionfs status' has it, without starting one. */
  Map<?, ?> status(int host) {
    RunningMounts running = new RunningMounts(Directories.ofThisProcess().runtime());
    return ControlClient.ask(
        StatusCommand.at(running, mnt(host)), Map.of("command", "status"), StatusCommand.DEADLINE);
  }

  /** A counter in a part of a host's status. */
  long counter(int host, String part, String name) {
    Object value = StatusText.map(status(host), part).get(name);
    return value instanceof Long number ? number : 0;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    // What this process has mapped keeps mounts busy until its buffers are collected.
    System.gc();
    try {
      cluster("down").succeeded();
    } finally {
      Files.deleteIfExists(directory.getParent());
    }
  }
}
