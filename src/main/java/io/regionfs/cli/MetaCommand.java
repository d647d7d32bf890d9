package io.regionfs.cli;

import io.regionfs.verbs.disni.FabricSelection;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Starts a metadata service. */
@Command(
    name = "meta",
    sortOptions = false,
    description = {
      "Start a metadata service that nodes join with --meta.",
      "%nIt keeps names, attributes and placement, and knows which nodes live; no file's bytes pass"
          + " through it. This version keeps them in memory, in one copy: when it ends, the cluster"
          + " and its files are gone.%n"
    },
    footer = {
      "%nIt logs to regionfs.log in the state directory, and ends by SIGTERM: the process id is"
          + " printed, and is in the file 'lock' there."
    })
final class MetaCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--listen",
      paramLabel = "IP:PORT",
      required = true,
      description = "Where nodes reach it.")
  private String listen = "";

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      required = true,
      description = "Its log and lock; one service each.")
  private Path stateDirectory = Path.of("");

  @Option(
      names = {"-f", "--foreground"},
      description = "Stay in the foreground and log to stderr.")
  private boolean foreground;

  @Option(
      names = "--fabric",
      paramLabel = "auto|soft|verbs",
      description = "What carries the calls, as for mount. Default: ${DEFAULT-VALUE}.",
      defaultValue = "auto")
  private FabricSelection.Wish fabric = FabricSelection.Wish.AUTO;

  @Option(names = Background.OPTION, hidden = true)
  private boolean inBackground;

  @Override
  public Integer call() throws InterruptedException {
    InetSocketAddress address = address();
    Path state = Directories.makePrivate(stateDirectory.toAbsolutePath().normalize());
    if (foreground || inBackground) {
      return Daemon.run(() -> MetaDaemon.start(address, state, fabric), inBackground, state);
    }
    long pid =
        Background.start(
            List.of(
                "meta",
                "--listen",
                Addresses.text(address),
                "--state-dir",
                state.toString(),
                "--fabric",
                fabric.name().toLowerCase(Locale.ROOT)),
            state);
    if (spec != null) {
      PrintWriter out = spec.commandLine().getOut();
      out.println("metadata service at " + Addresses.text(address) + ", process " + pid);
      out.flush();
    }
    return Main.DONE;
  }

  private InetSocketAddress address() {
    try {
      InetSocketAddress address = Addresses.listen(listen);
      if (address.getPort() == 0) {
        throw new IllegalArgumentException("'" + listen + "' is not IP:PORT");
      }
      return address;
    } catch (IllegalArgumentException e) {
      String text = String.valueOf(e.getMessage());
      throw spec == null
          ? new CommandFailure(text)
          : new ParameterException(spec.commandLine(), text);
    }
  }
}
