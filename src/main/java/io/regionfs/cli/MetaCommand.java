package io.regionfs.cli;

import io.regionfs.daemon.Addresses;
import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Directories;
import io.regionfs.daemon.MetaDaemon;
import io.regionfs.daemon.MetaOptions;
import io.regionfs.daemon.Peers;
import io.regionfs.daemon.Sizes;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Starts a replica of a metadata service. */
@Command(
    name = "meta",
    sortOptions = false,
    synopsisSubcommandLabel = "[COMMAND]",
    description = {
      "Start a metadata service, or one replica of it, that nodes join with --meta.",
      "%nIt keeps names, attributes and placement, and knows which nodes live; no file's bytes pass"
          + " through it. Every change is on the disks of a majority before it is answered: of 3"
          + " replicas one may fail, of 5 two. Replicas are started in any order; the command"
          + " returns when its own listens. All must be there once, when the cluster is founded.%n"
    },
    footer = {
      "%nIt logs to regionfs.log in the state directory, and ends by SIGTERM: the process id is"
          + " printed, and is in the file 'lock' there.",
      "%nExamples:",
      "  regionfs meta --listen 10.0.0.1:7470 --state-dir /var/lib/regionfs-meta     one replica",
      "  regionfs meta --id 2 --peers 1=10.0.0.1:7470,2=10.0.0.2:7470,3=10.0.0.3:7470 \\",
      "    --listen 10.0.0.2:7470 --state-dir /var/lib/regionfs-meta          the second of three",
      "  regionfs meta status --meta 10.0.0.1:7470"
    },
    commandListHeading = "%nCommands:%n",
    subcommands = {
      MetaStatusCommand.class,
      MetaAddCommand.class,
      MetaRemoveCommand.class,
      MetaTransferCommand.class
    })
final class MetaCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--listen",
      paramLabel = "IP:PORT",
      description =
          "Where nodes and replicas reach it (required). Replicas exchange their log at the next"
              + " port.")
  private @Nullable String listen;

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      description = "Its log, snapshots and lock (required); one replica each.")
  private @Nullable Path stateDirectory;

  @Option(
      names = "--id",
      paramLabel = "N",
      description = "This replica's number, from 1. Default: 1, the only one.")
  private @Nullable String id;

  @Option(
      names = "--peers",
      paramLabel = "ID=IP:PORT",
      split = ",",
      description = "All replicas, this one too; the same list for each: 1, 3 or 5.")
  private List<String> peers = new ArrayList<>();

  @Option(
      names = "--join",
      description =
          "Wait to be taken in by the cluster of the other --peers: see regionfs meta add.")
  private boolean joins;

  @Option(
      names = "--election-timeout",
      paramLabel = "MS",
      description =
          "Milliseconds of a leader's silence after which another is elected. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "1000")
  private long electionMillis;

  @Option(
      names = "--lease-reads",
      description =
          "Answer questions without asking the other replicas, relying on this host's clock to run"
              + " evenly: faster, but wrong on machines that are suspended or migrated.")
  private boolean leaseReads;

  @Option(
      names = "--no-fsync",
      description =
          "Do not wait for the disk: if power fails, what was acknowledged may be lost or votes be"
              + " given twice. For tests.")
  private boolean withoutFsync;

  @Option(
      names = "--min-free",
      paramLabel = "SIZE",
      description =
          "Take no changes while the state directory's disk has less free space. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "64M")
  private String minFree = "64M";

  @Option(
      names = "--metrics-listen",
      paramLabel = "IP:PORT",
      description = "Answer Prometheus there, at /metrics. Default: nowhere.")
  private @Nullable String metrics;

  @Option(
      names = {"-f", "--foreground"},
      description = "Stay in the foreground and log to stderr.")
  private boolean foreground;

  @Mixin private final FabricOptions fabric = new FabricOptions();

  @Option(names = Background.OPTION, hidden = true)
  private boolean inBackground;

  @Override
  public Integer call() throws InterruptedException {
    MetaOptions options = options();
    Path state = Directories.makePrivate(options.stateDirectory());
    if (foreground || inBackground) {
      return Daemon.run(() -> MetaDaemon.start(options), inBackground, state);
    }
    Background.Started started = Background.start(options.commandLine(), state);
    if (spec != null) {
      PrintWriter out = spec.commandLine().getOut();
      out.println(
          "metadata service at "
              + Addresses.text(options.listen())
              + ", replica "
              + options.id()
              + ", process "
              + started.pid());
      if (!started.remark().isEmpty()) {
        out.println("it " + started.remark() + ": see 'regionfs meta status'");
      }
      out.flush();
    }
    return Main.DONE;
  }

  private MetaOptions options() {
    try {
      if (listen == null || stateDirectory == null) {
        throw new IllegalArgumentException("--listen and --state-dir are required");
      }
      if ((id == null) != peers.isEmpty()) {
        throw new IllegalArgumentException("--id and --peers belong together: give both or none");
      }
      InetSocketAddress address = Peers.withRoomAbove(withPort(listen));
      int number = id == null ? 1 : Peers.id(id);
      return new MetaOptions(
          number,
          peers.isEmpty() ? Peers.single(number, address) : Peers.parse(peers),
          joins,
          address,
          stateDirectory.toAbsolutePath().normalize(),
          Duration.ofMillis(electionMillis),
          leaseReads,
          !withoutFsync,
          Sizes.parse(minFree),
          metrics == null ? null : withPort(metrics),
          fabric.request());
    } catch (IllegalArgumentException e) {
      String text = String.valueOf(e.getMessage());
      throw spec == null
          ? new CommandFailure(text)
          : new ParameterException(spec.commandLine(), text);
    }
  }

  static InetSocketAddress withPort(String text) {
    InetSocketAddress address = Addresses.listen(text);
    if (address.getPort() == 0) {
      throw new IllegalArgumentException("'" + text + "' is not IP:PORT");
    }
    return address;
  }
}
