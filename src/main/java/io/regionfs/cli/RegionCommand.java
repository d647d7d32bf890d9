package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.ControlClient;
import io.regionfs.daemon.Directories;
import io.regionfs.daemon.Json;
import io.regionfs.daemon.RunningMounts;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows where a file's bytes are. */
@Command(
    name = "region",
    sortOptions = false,
    description = {
      "Show where a file's bytes are.",
      "%nIts home, size, memory and generation, and what of it is exposed to other hosts and pinned"
          + " for that.%n"
    })
final class RegionCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Parameters(paramLabel = "PATH", description = "A file in a RegionFS mount.")
  private Path path = Path.of("");

  @Override
  public Integer call() {
    RunningMounts running = new RunningMounts(Directories.ofThisProcess().runtime());
    Map<String, @Nullable Object> region;
    try {
      Path real = path.toRealPath();
      RunningMounts.Entry node =
          running
              .above(real)
              .orElseThrow(
                  () -> new CommandFailure(real + " is not in a RegionFS mount of this user"));
      if (!Files.isRegularFile(real)) {
        throw new CommandFailure(real + " is not a file: only files have memory");
      }
      long inode = ((Number) Files.getAttribute(real, "unix:ino")).longValue();
      region =
          ControlClient.ask(
              node, Map.of("command", "region", "inode", inode), StatusCommand.DEADLINE);
    } catch (IOException e) {
      throw new CommandFailure(path + ": " + Directories.reason(e), e);
    }
    if (spec != null) {
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        out.println(Json.write(region));
      } else {
        print(region, out);
      }
      out.flush();
    }
    return Main.DONE;
  }

  private void print(Map<String, @Nullable Object> region, PrintWriter out) {
    Map<?, ?> home = StatusText.map(region, "home");
    StatusText.line(out, "region", path + " (inode " + region.get("inode") + ")");
    StatusText.line(
        out,
        "home",
        home.get("id")
            + " "
            + home.get("name")
            + " at "
            + home.get("dataAddress")
            + (Boolean.TRUE.equals(home.get("alive")) ? "" : " (down)"));
    StatusText.line(
        out,
        "fabric",
        Boolean.TRUE.equals(region.get("local"))
            ? "local memory; other hosts by " + home.get("fabric")
            : region.get("fabric") + "; home: " + home.get("fabric"));
    if (region.containsKey("passedThrough")) {
      StatusText.line(
          out,
          "at home",
          Boolean.TRUE.equals(region.get("passedThrough"))
              ? "used by the kernel itself (passthrough)"
              : "served by the node");
    }
    StatusText.line(
        out,
        "lifetime",
        region.containsKey("exporter")
            ? "that of process " + region.get("exporter") + " at home"
            : "until it is unlinked");
    StatusText.line(out, "size", region.get("size") + " bytes");
    StatusText.line(out, "memory", region.get("allocatedBytes") + " bytes");
    StatusText.line(out, "generation", String.valueOf(region.get("generation")));
    StatusText.line(
        out,
        "exposed",
        region.get("exposures") + " pieces, " + region.get("pinnedBytes") + " bytes pinned");
  }
}
