package io.regionfs.daemon;

import com.google.errorprone.annotations.MustBeClosed;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.regionfs.data.RemoteOptions;
import io.regionfs.data.RemoteRegions;
import io.regionfs.data.RoutedRegions;
import io.regionfs.fs.FsOptions;
import io.regionfs.fs.RegionFileSystem;
import io.regionfs.fuse.FuseMount;
import io.regionfs.fuse.FuseOptions;
import io.regionfs.meta.Membership;
import io.regionfs.meta.MetadataClient;
import io.regionfs.meta.MetadataClientOptions;
import io.regionfs.meta.RecallHandler;
import io.regionfs.meta.Replicas;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.posix.ProcessWatch;
import io.regionfs.region.HomeHandler;
import io.regionfs.region.LentMemory;
import io.regionfs.region.LentStatus;
import io.regionfs.rpc.darpc.DarpcTransport;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.disni.FabricSelection;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The composition of a node: it lends this host's memory, reaches other hosts', and mounts both as
 * a filesystem. What is started here is ended here, in reverse: the mount first, so that nothing is
 * asked any more of what ends after it.
 */
public final class Node implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);
  private static final Duration ATTEMPT = Duration.ofSeconds(5);
  private static final Duration STATUS_PATIENCE = Duration.ofSeconds(2);

  private final NodeOptions options;
  private final Lifetimes lifetimes = new Lifetimes();
  private @Nullable Membership membership;
  private String name = "";
  private String remark = "";
  private @Nullable EmbeddedMetadata embedded;
  private @Nullable FuseMount mount;

  private Node(NodeOptions options) {
    this.options = options;
  }

  /**
   * Returns when the mount is usable.
   *
   * @throws IOException or CommandFailure or FsException with a message for the user
   */
  public static Node start(NodeOptions options) throws IOException, InterruptedException {
    Node node = new Node(options);
    boolean started = false;
    try {
      node.open();
      started = true;
      return node;
    } finally {
      if (!started) {
        node.close();
      }
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // lifetimes closes all
  private void open() throws IOException, InterruptedException {
    RunningMounts running =
        new RunningMounts(Directories.makePrivate(Directories.ofThisProcess().runtime()));
    refuseIfMounted(running);
    lifetimes.add("state lock", StateLock.take(options.stateDirectory()));
    long key = Identity.in(options.stateDirectory()).key();
    FabricSelection selection =
        FabricSelection.choose(options.fabric(), listenAddress(), SoftDeviceOptions.defaults());
    InetAddress address = selection.address();
    Fabric fabric = lifetimes.add("fabric", selection.open());
    DarpcTransport transport = lifetimes.add("calls", Calls.over(selection));
    MeterRegistry registry = registry();
    Switchboard switchboard = new Switchboard(options.ownsCluster());
    int port = options.listen() == null ? 0 : options.listen().getPort();
    Ports ports = lifetimes.add("ports", Ports.open(transport, fabric, address, port, switchboard));

    MetadataClient metadata =
        openMetadata(transport, switchboard, ports.calls().address(), registry);
    Membership joined = join(metadata, key, ports);
    membership = joined;
    Identity.checkCluster(options.stateDirectory(), joined.clusterId(), !options.ownsCluster());
    LentDirectory directory =
        lifetimes.add(
            "memory directory",
            LentDirectory.prepare(
                options, joined.clusterId(), LibC.INSTANCE.getuid(), selection.limits()));
    remark =
        Stream.of(selection.warning(), lostMemory(directory))
            .filter(text -> !text.isEmpty())
            .collect(Collectors.joining("; "));
    RemoteRegions remote =
        lifetimes.add(
            "remote regions", new RemoteRegions(metadata, fabric, transport, remoteOptions()));
    LentMemory lent =
        lifetimes.add(
            "lent memory",
            LentMemory.open(
                directory.options(), fabric, ports.memory().address(), remote::newBuffer));
    lifetimes.add("fate of the memory", () -> settle(directory, lent));
    HomeHandler home = lifetimes.add("home calls", new HomeHandler(lent));
    switchboard.connectHome(home);
    RoutedRegions regions =
        lifetimes.add("regions", new RoutedRegions(joined.node(), lent, remote));
    lifetimes.add("membership", joined);
    RegionFileSystem fileSystem =
        lifetimes.add(
            "filesystem",
            new RegionFileSystem(
                metadata,
                regions,
                joined.node(),
                new FsOptions(
                    fabric.description(),
                    directory.passThroughRefusal().isEmpty(),
                    options.flags().coherence(),
                    options.flags().lifetime())));
    joined.start(() -> load(lent, fabric), new Duties(lent, fileSystem));
    FuseMount mounted =
        lifetimes.add("mount", FuseMount.mount(options.mountPoint(), fileSystem, fuseOptions()));
    mount = mounted;
    fileSystem.resumeExports();
    RunningMounts.Entry entry = entry(running, directory);
    MetadataClient impatient = impatient(transport, ports.calls().address());
    List<InetSocketAddress> replicas = replicas(ports.calls().address());
    StatusReport report =
        new StatusReport(
            entry,
            name,
            remark,
            joined,
            ports,
            new MetadataReport(transport, replicas, impatient),
            new FabricReport(fabric, ports.memory(), directory.options(), directory.hugePages()),
            () -> directory.passThroughText(fileSystem.passesThrough()),
            lent,
            home,
            mounted);
    RegionReporter regionReporter =
        new RegionReporter(impatient, transport, joined.node(), fabric.description());
    lifetimes.add("control", control(entry, report, regionReporter, replicas));
    lifetimes.add("entry", () -> running.remove(entry));
    running.add(entry);
    LOG.info(
        "Node {} of cluster {} serves {} at {}",
        joined.node(),
        joined.clusterId(),
        options.mountPoint(),
        Addresses.text(ports.calls().address()));
  }

  @MustBeClosed
  private static ControlServer control(
      RunningMounts.Entry entry,
      StatusReport report,
      RegionReporter regions,
      List<InetSocketAddress> replicas)
      throws IOException {
    return new ControlServer(
        entry.controlSocket(),
        (command, request) ->
            switch (command) {
              case "status" -> report.now();
              case "region" -> regions.report(request.get("inode"));
              case "replicas" ->
                  Map.of("addresses", replicas.stream().map(Addresses::text).toList());
              default -> throw new CommandFailure("this node knows no command " + command);
            });
  }

  /** For questions of people, who are told that the service is away rather than made to wait. */
  @SuppressWarnings("MustBeClosedChecker") // lifetimes closes all
  private MetadataClient impatient(DarpcTransport transport, InetSocketAddress own) {
    Replicas replicas = lifetimes.add("status calls", Replicas.at(replicas(own), transport));
    return lifetimes.add(
        "status metadata",
        new MetadataClient(replicas, new MetadataClientOptions(STATUS_PATIENCE, STATUS_PATIENCE)));
  }

  private List<InetSocketAddress> replicas(InetSocketAddress own) {
    return options.ownsCluster() ? List.of(own) : options.metadata();
  }

  @SuppressWarnings("MustBeClosedChecker") // lifetimes closes all
  private MeterRegistry registry() throws IOException {
    return options.metrics() == null
        ? new CompositeMeterRegistry()
        : lifetimes.add("metrics", MetricsEndpoint.open(options.metrics())).registry();
  }

  /** What the user must know if there are names, but the host has lost the bytes since. */
  private String lostMemory(LentDirectory directory) throws IOException {
    KeptFiles.forgetNote(options.stateDirectory());
    if (embedded == null || embedded.inodes() == 0 || directory.wasFound()) {
      return "";
    }
    String text =
        "the memory of this mount's files is gone, as after a restart of the host: they read EIO and"
            + " can be removed ("
            + directory.options().directory()
            + " is not there)";
    LOG.warn("{}", text);
    return text;
  }

  /** With names of its own, the node's memory is needed as long as there are any. */
  private void settle(LentDirectory directory, LentMemory lent) throws IOException {
    LentStatus status = lent.status();
    if (embedded == null) {
      directory.settle(status.regions() == 0);
      return;
    }
    long inodes = embedded.inodes();
    directory.settle(inodes == 0);
    if (inodes == 0) {
      embedded.discardAtEnd();
    } else {
      KeptFiles kept = new KeptFiles(inodes, status.allocatedBytes(), directory.base());
      kept.note(options.stateDirectory());
      LOG.info("{}", kept.text());
    }
  }

  private RemoteOptions remoteOptions() {
    return new RemoteOptions(RemoteOptions.defaults().attempt(), options.flags().timeout());
  }

  private void refuseIfMounted(RunningMounts running) {
    Optional<RunningMounts.Entry> there = running.at(options.mountPoint());
    if (there.isPresent() && there.get().isRunning()) {
      throw new CommandFailure(
          options.mountPoint()
              + " is mounted already, by process "
              + there.get().pid()
              + ": unmount that one first");
    }
  }

  /** Null: wherever the device is. */
  private @Nullable InetAddress listenAddress() {
    if (options.listen() != null) {
      return options.listen().getAddress();
    }
    return options.metadata().isEmpty() ? null : Addresses.towards(options.metadata().get(0));
  }

  @SuppressWarnings("MustBeClosedChecker") // lifetimes closes all
  private MetadataClient openMetadata(
      DarpcTransport transport,
      Switchboard switchboard,
      InetSocketAddress address,
      MeterRegistry registry)
      throws IOException, InterruptedException {
    MetadataClientOptions waiting = new MetadataClientOptions(ATTEMPT, options.flags().timeout());
    MetadataClient metadata;
    if (options.ownsCluster()) {
      EmbeddedMetadata own =
          lifetimes.add(
              "metadata service",
              EmbeddedMetadata.open(options.stateDirectory(), address, transport, registry));
      embedded = own;
      switchboard.connectMetadata(own.service());
      metadata = lifetimes.add("metadata", new MetadataClient(List.of(own.client()), waiting));
    } else {
      Probe.awaitService(transport, options.metadata());
      Replicas replicas =
          lifetimes.add("metadata calls", Replicas.at(options.metadata(), transport));
      metadata = lifetimes.add("metadata", new MetadataClient(replicas, waiting));
    }
    switchboard.connectCache(lifetimes.add("recalls", new RecallHandler(metadata)));
    return metadata;
  }

  @SuppressWarnings("MustBeClosedChecker") // closed with this node
  private Membership join(MetadataClient metadata, long key, Ports ports) throws IOException {
    name = options.name() == null ? hostName() : options.name();
    try {
      return joinAs(name, metadata, key, ports);
    } catch (FsException e) {
      if (e.errno() != Errno.EEXIST) {
        throw e;
      }
      if (options.name() != null) {
        throw new CommandFailure(
            "the cluster has a living node of the name " + name + ": give another --name", e);
      }
      name += "-" + Integer.toHexString((int) key);
      return joinAs(name, metadata, key, ports);
    }
  }

  private static String hostName() throws IOException {
    return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
  }

  @SuppressWarnings("MustBeClosedChecker") // closed with this node
  private static Membership joinAs(String name, MetadataClient metadata, long key, Ports ports) {
    return Membership.join(
        metadata,
        new Membership.Identity(name, key, ports.calls().address(), ports.memory().address()));
  }

  private static Membership.Load load(LentMemory lent, Fabric fabric) {
    var status = lent.status();
    return new Membership.Load(
        status.budgetBytes(), status.allocatedBytes(), status.regions(), fabric.description());
  }

  /** What the metadata service asks of this node. */
  private record Duties(LentMemory lent, RegionFileSystem fileSystem)
      implements Membership.Listener {
    @Override
    public void dead(List<InodeId> inodes) {
      inodes.forEach(lent::drop);
    }

    @Override
    public void leaseLost() {
      fileSystem.reopenAll();
    }
  }

  private FuseOptions fuseOptions() {
    MountFlags flags = options.flags();
    if (flags.allowOther() && !FuseOptions.mayAllowOther()) {
      throw new CommandFailure(
          "allow_other is not allowed: as root, put user_allow_other into /etc/fuse.conf");
    }
    return FuseOptions.defaults()
        .withTransport(flags.transport())
        .withTransportCache(options.stateDirectory().resolve("transport"))
        .withMountOptions(flags.forKernel());
  }

  private RunningMounts.Entry entry(RunningMounts running, LentDirectory directory) {
    long pid = ProcessHandle.current().pid();
    return new RunningMounts.Entry(
        pid,
        ProcessWatch.startOf(pid),
        options.mountPoint(),
        options.stateDirectory(),
        directory.base(),
        running.controlSocket(options.mountPoint()),
        options.ownsCluster());
  }

  @Override
  public String remark() {
    return remark;
  }

  @Override
  public void awaitEnd() throws InterruptedException {
    if (mount != null) {
      mount.awaitEnd();
    }
  }

  @Override
  public void close() {
    lifetimes.close();
    if (membership != null) {
      membership.close(); // if the start failed before it was given to lifetimes
    }
    LOG.info("Ended");
  }
}
