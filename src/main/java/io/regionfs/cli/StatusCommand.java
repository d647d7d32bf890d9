package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.ControlClient;
import io.regionfs.daemon.Directories;
import io.regionfs.daemon.Json;
import io.regionfs.daemon.RunningMounts;
import io.regionfs.posix.MountTable;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows a cluster as one of its nodes sees it. */
@Command(
    name = "status",
    sortOptions = false,
    description = {
      "Show the cluster as a mount's node sees it.",
      "%nNodes, capacity, regions, the fabric in use and why, the metadata service, and which calls"
          + " this node has answered for others' data: reads and writes of exposed memory are one-"
          + "sided and in none of them.%n"
    })
final class StatusCommand implements Callable<Integer> {
  static final Duration DEADLINE = Duration.ofSeconds(20);

  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Parameters(
      paramLabel = "DIR",
      arity = "0..1",
      description = "Where RegionFS is mounted; not needed if there is only one mount.")
  private @Nullable Path directory;

  @Override
  public Integer call() {
    RunningMounts running = new RunningMounts(Directories.ofThisProcess().runtime());
    RunningMounts.Entry node = directory == null ? only(running) : at(running, directory);
    Map<String, @Nullable Object> status =
        ControlClient.ask(node, Map.of("command", "status"), DEADLINE);
    if (spec != null) {
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        out.println(Json.write(status));
      } else {
        StatusText.print(status, out);
      }
      out.flush();
    }
    return Main.DONE;
  }

  static RunningMounts.Entry at(RunningMounts running, Path directory) {
    Path mountPoint = Directories.mountPoint(directory, MountTable.now());
    RunningMounts.Entry node =
        running
            .at(mountPoint)
            .or(() -> running.above(mountPoint))
            .orElseThrow(
                () ->
                    new CommandFailure(
                        mountPoint
                            + " is not in a RegionFS mount of this user ('regionfs status' lists"
                            + " them)"));
    if (!node.isRunning()) {
      throw new CommandFailure(
          "the node of "
              + mountPoint
              + " was killed (process "
              + node.pid()
              + "): mount again, or clean up with regionfs umount "
              + mountPoint);
    }
    return node;
  }

  static RunningMounts.Entry only(RunningMounts running) {
    List<RunningMounts.Entry> alive =
        running.all().stream().filter(RunningMounts.Entry::isRunning).toList();
    if (alive.isEmpty()) {
      throw new CommandFailure("no RegionFS is mounted by this user: regionfs mount DIR");
    }
    if (alive.size() > 1) {
      throw new CommandFailure(
          "there are several mounts, name one: "
              + alive.stream()
                  .map(node -> node.mountPoint().toString())
                  .collect(Collectors.joining(" ")));
    }
    return alive.get(0);
  }
}
