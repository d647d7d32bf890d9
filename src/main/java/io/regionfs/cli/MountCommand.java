package io.regionfs.cli;

import io.regionfs.daemon.Addresses;
import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Directories;
import io.regionfs.daemon.HugePageUse;
import io.regionfs.daemon.MountFlags;
import io.regionfs.daemon.Node;
import io.regionfs.daemon.NodeOptions;
import io.regionfs.daemon.Sizes;
import io.regionfs.posix.MountTable;
import io.regionfs.verbs.disni.Pinning;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Starts a node and mounts it. */
@Command(
    name = "mount",
    sortOptions = false,
    description = {
      "Mount RegionFS on a directory.",
      "%nStarts this host's node and returns when the mount is usable. The node lends this host's"
          + " memory and reaches other hosts'. Without --meta it is alone, or the first: it keeps"
          + " the cluster's metadata itself, on disk, and others join with --meta and its address;"
          + " its files are there again with the next mount. A mount"
          + " whose node was killed is replaced.%n"
    },
    footer = {
      "%nIt logs to regionfs.log in the state directory.",
      "%nExamples:",
      "  regionfs mount /mnt/region --listen 10.0.0.1           the first host",
      "  regionfs mount /mnt/region --meta 10.0.0.1:7470        the others",
      "  regionfs mount ~/region --memory 4G -o timeout=30"
    })
final class MountCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "DIR", description = "An empty directory to mount on.")
  private Path directory = Path.of("");

  @Option(
      names = {"-f", "--foreground"},
      description = "Stay in the foreground and log to stderr; Ctrl-C unmounts.")
  private boolean foreground;

  @Option(
      names = "--meta",
      paramLabel = "HOST:PORT",
      split = ",",
      description =
          "The cluster to join: a metadata service, or the node that keeps the metadata (repeat, or"
              + " separate by commas).")
  private List<String> metadata = new ArrayList<>();

  @Option(
      names = "--listen",
      paramLabel = "IP[:PORT]",
      description =
          "Where other hosts reach this node; the next port serves its memory. Default: the RDMA"
              + " device's address with --fabric verbs, else the address towards the metadata service"
              + " or 127.0.0.1; port 7470 or a free one.")
  private @Nullable String listen;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description =
          "Most memory to lend, as 512M, 4G, 1T. Default: half of what is free in the memory"
              + " directory.")
  private @Nullable String memory;

  @Option(
      names = "--memory-dir",
      paramLabel = "DIR",
      description =
          "A tmpfs or hugetlbfs below which the node makes a directory for what it lends. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "/dev/shm")
  private Path memoryDirectory = Path.of("/dev/shm");

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      description =
          "Log, lock and identity of the node, one node each. Default: /var/lib/regionfs/NAME for"
              + " root, else ~/.local/state/regionfs/NAME, with NAME from the mount point.")
  private @Nullable Path stateDirectory;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "The node's name in the cluster. Default: the host's name.")
  private @Nullable String name;

  @Mixin private final FabricOptions fabric = new FabricOptions();

  @Option(
      names = "--pin",
      paramLabel = "on_demand|always",
      description =
          "Whether lent memory is locked while other hosts may reach it: never where the RDMA device"
              + " can do without (on_demand), or always. Default: ${DEFAULT-VALUE}.",
      defaultValue = "on_demand")
  private Pinning pinning = Pinning.ON_DEMAND;

  @Option(
      names = "--huge-pages",
      paramLabel = "auto|always|never",
      description =
          "What lent memory is made of: of pages, and what is dense of huge pages soon after, where"
              + " the node may (auto); of huge pages only, refusing a memory directory without"
              + " (always); or of pages only (never). Default: ${DEFAULT-VALUE}.",
      defaultValue = "auto")
  private HugePageUse hugePages = HugePageUse.AUTO;

  @Option(
      names = "--metrics-listen",
      paramLabel = "IP:PORT",
      description = "Answer Prometheus there, at /metrics. Default: nowhere.")
  private @Nullable String metrics;

  @Option(
      names = "--lifetime",
      paramLabel = "file|owner",
      description =
          "How long files live that are made in this mount: file, until they are unlinked (default);"
              + " owner, until the process that made them ends, as -o lifetime=owner. One file's"
              + " attribute user.regionfs.lifetime changes it.")
  private @Nullable String lifetime;

  @Option(
      names = "-o",
      paramLabel = "OPTS",
      description =
          "Mount options, separated by commas: allow_other (other users may use it; root's mounts"
              + " allow it anyway), ro, timeout=SECONDS (calls that wait for a host that is away"
              + " fail then; else they wait until it is back), soft (the same as timeout=30),"
              + " transport=auto|threads|spin|uring (how requests get here from the kernel),"
              + " passthrough, nopassthrough (the kernel uses the memory of this host's files itself,"
              + " or asks for every byte), coherent=open|notify|none (mappings are brought up to date"
              + " by opening and by locks; also soon after each change; or only by 'regionfs"
              + " refresh'), lifetime=file|owner, nosuid,"
              + " nodev, noexec.")
  private List<String> options = new ArrayList<>();

  @Option(names = Background.OPTION, hidden = true)
  private boolean inBackground;

  @Override
  public Integer call() throws InterruptedException {
    NodeOptions node = nodeOptions();
    Path state = Directories.makePrivate(node.stateDirectory());
    if (foreground || inBackground) {
      return Daemon.run(() -> Node.start(node), inBackground, state);
    }
    checkDirectory(node.mountPoint());
    String remark = Background.start(node.commandLine(), state).remark();
    if (spec != null && !remark.isEmpty()) {
      PrintWriter err = spec.commandLine().getErr();
      err.println("regionfs mount: " + remark);
      err.flush();
    }
    return Main.DONE;
  }

  private NodeOptions nodeOptions() {
    Directories directories = Directories.ofThisProcess();
    Path mountPoint = Directories.mountPoint(directory, MountTable.now());
    try {
      if (lifetime != null) {
        options.add("lifetime=" + lifetime);
      }
      List<InetSocketAddress> replicas = metadata.stream().map(Addresses::service).toList();
      return new NodeOptions(
          mountPoint,
          replicas,
          listen == null ? null : Addresses.listen(listen),
          memory == null ? 0 : Sizes.parse(memory),
          memoryDirectory.toAbsolutePath().normalize(),
          hugePages,
          stateDirectory == null
              ? directories.state(mountPoint)
              : stateDirectory.toAbsolutePath().normalize(),
          name == null ? null : checkedName(name),
          fabric.request().with(pinning),
          metrics == null ? null : MetaCommand.withPort(metrics),
          MountFlags.parse(options));
    } catch (IllegalArgumentException e) {
      throw wrong(e.getMessage());
    }
  }

  private static String checkedName(String name) {
    if (!name.matches("[A-Za-z0-9._:@%+/-]{1,64}")) {
      throw new IllegalArgumentException(
          "'" + name + "' is not a name: 1 to 64 letters, digits and ._:@%+/-");
    }
    return name;
  }

  private RuntimeException wrong(@Nullable String message) {
    String text = String.valueOf(message);
    return spec == null
        ? new CommandFailure(text)
        : new ParameterException(spec.commandLine(), text);
  }

  /** Early, so that the message comes at once. A stale mount cannot be looked at and is healed. */
  private static void checkDirectory(Path mountPoint) {
    if (MountTable.now().contains(mountPoint)) {
      return;
    }
    if (!Files.exists(mountPoint)) {
      throw new CommandFailure(mountPoint + " does not exist: mkdir it");
    }
    if (!Files.isDirectory(mountPoint)) {
      throw new CommandFailure(mountPoint + " is not a directory");
    }
  }
}
