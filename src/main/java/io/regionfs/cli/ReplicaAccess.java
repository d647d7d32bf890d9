package io.regionfs.cli;

import io.regionfs.daemon.Addresses;
import io.regionfs.daemon.Calls;
import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.ControlClient;
import io.regionfs.daemon.Directories;
import io.regionfs.daemon.ReplicaCalls;
import io.regionfs.daemon.RunningMounts;
import io.regionfs.posix.MountTable;
import io.regionfs.rpc.darpc.DarpcTransport;
import io.regionfs.verbs.disni.FabricSelection;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How the commands that look after replicas reach them; mixed into each. */
final class ReplicaAccess {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec spec;

  @Option(
      names = "--meta",
      paramLabel = "HOST:PORT",
      split = ",",
      description =
          "One or more replicas of the metadata service; the others are learned from them. Default:"
              + " those of the mount, if there is one.")
  private List<String> metadata = new ArrayList<>();

  @Mixin private final FabricOptions fabric = new FabricOptions();

  /** Calls to the replicas. */
  interface Use {
    int with(ReplicaCalls replicas) throws InterruptedException;
  }

  /**
   * Runs something with the replicas of {@code --meta} or else of a mount.
   *
   * @param mount null: the only one
   */
  int use(@Nullable Path mount, Use use) throws IOException, InterruptedException {
    List<InetSocketAddress> addresses = addresses(mount);
    FabricSelection selection = fabric.choose(Addresses.towards(addresses.get(0)));
    try (DarpcTransport transport = Calls.over(selection);
        ReplicaCalls replicas = new ReplicaCalls(transport, addresses)) {
      return use.with(replicas);
    }
  }

  private List<InetSocketAddress> addresses(@Nullable Path mount) {
    if (!metadata.isEmpty() && mount != null) {
      throw wrong("give --meta or a mount, not both");
    }
    if (metadata.isEmpty()) {
      return ofMount(mount);
    }
    return parsed(() -> metadata.stream().map(Addresses::service).toList());
  }

  private static List<InetSocketAddress> ofMount(@Nullable Path mount) {
    RunningMounts running = new RunningMounts(Directories.ofThisProcess().runtime());
    if (mount == null && running.all().stream().noneMatch(RunningMounts.Entry::isRunning)) {
      throw new CommandFailure("give --meta, or a mount: no RegionFS is mounted by this user");
    }
    RunningMounts.Entry node =
        mount == null
            ? StatusCommand.only(running)
            : StatusCommand.at(running, Directories.mountPoint(mount, MountTable.now()));
    Map<String, @Nullable Object> reply =
        ControlClient.ask(node, Map.of("command", "replicas"), StatusCommand.DEADLINE);
    return reply.get("addresses") instanceof List<?> list
        ? list.stream().map(String::valueOf).map(Addresses::service).toList()
        : List.of();
  }

  /** What was read from the command line, unless that is wrong. */
  <T> T parsed(Supplier<T> reading) {
    try {
      return reading.get();
    } catch (IllegalArgumentException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  /** Tells that the command line is wrong. */
  private RuntimeException wrong(String text) {
    return spec == null
        ? new CommandFailure(text)
        : new ParameterException(spec.commandLine(), text);
  }

  PrintWriter out() {
    return spec == null
        ? new PrintWriter(System.out, true, StandardCharsets.UTF_8)
        : spec.commandLine().getOut();
  }
}
