package io.regionfs.daemon;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.rpc.darpc.DarpcTransport;
import io.regionfs.verbs.disni.FabricSelection;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process that is nothing but one replica of a metadata service. It listens at once; what it has
 * to wait for (other replicas, a leader) it waits for in a thread of its own.
 */
public final class MetaDaemon implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(MetaDaemon.class);
  private static final long JOIN_MILLIS = 20_000;
  private static final long MEMBERSHIP_MILLIS = 200;
  private static final long ELECTION_MILLIS = 5_000;

  private final MetaOptions options;
  private final Switchboard switchboard = new Switchboard(true);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread waiting = new Thread(this::startInBackground, "metadata-start");

  @GuardedBy("this")
  private final Lifetimes lifetimes = new Lifetimes();

  @GuardedBy("this")
  private boolean closed;

  private volatile @Nullable Parts parts;
  private volatile @Nullable ReplicaIdentity identity;
  private volatile @Nullable MetadataReplica replica;
  private volatile String remark = "";
  private volatile String fabricWarning = "";
  private volatile @Nullable CommandFailure failure;

  private MetaDaemon(MetaOptions options) {
    this.options = options;
  }

  /**
   * Returns when the replica listens.
   *
   * @throws IOException if an address cannot be listened at, or the state cannot be read
   * @throws CommandFailure if the state directory is in use, or the replica must not take part
   */
  public static MetaDaemon start(MetaOptions options) throws IOException, InterruptedException {
    MetaDaemon daemon = new MetaDaemon(options);
    boolean started = false;
    try {
      daemon.open();
      started = true;
      return daemon;
    } finally {
      if (!started) {
        daemon.close();
      }
    }
  }

  /** With a little patience if its cluster is there, as that may refuse it when it has a leader. */
  private static @Nullable ReplicaIdentity attempt(Founding founding) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ELECTION_MILLIS);
    while (true) {
      ReplicaIdentity member = founding.attempt();
      if (member != null
          || !founding.state().contains(Introduction.NO_LEADER)
          || System.nanoTime() - end > 0) {
        return member;
      }
      TimeUnit.MILLISECONDS.sleep(MEMBERSHIP_MILLIS);
    }
  }

  /** What the replica is made of before it knows its cluster. */
  private record Parts(
      RpcTransport transport,
      MeterRegistry registry,
      Founding founding,
      Map<Integer, RpcClient> replicas) {}

  private void open() throws IOException, InterruptedException {
    Parts opened = listen();
    parts = opened;
    ReplicaIdentity member = attempt(opened.founding());
    if (member == null) {
      remark = opened.founding().state();
    } else {
      become(member, opened);
    }
    waiting.setDaemon(true);
    waiting.start();
  }

  @SuppressWarnings("MustBeClosedChecker") // lifetimes closes all
  private synchronized Parts listen() throws IOException {
    InetSocketAddress address = options.listen();
    lifetimes.add("state lock", StateLock.take(options.stateDirectory()));
    ReplicaIdentity identity =
        ReplicaIdentity.in(options.stateDirectory(), options.id(), Addresses.text(address));
    checkAddress(identity);
    FabricSelection selection =
        FabricSelection.choose(
            options.fabric(), address.getAddress(), SoftDeviceOptions.defaults());
    fabricWarning = selection.warning();
    DarpcTransport transport = lifetimes.add("calls", Calls.over(selection));
    MeterRegistry registry = new CompositeMeterRegistry();
    if (options.metrics() != null) {
      registry = lifetimes.add("metrics", MetricsEndpoint.open(options.metrics())).registry();
    }
    Map<Integer, RpcClient> replicas = new TreeMap<>();
    options
        .peers()
        .addresses()
        .forEach(
            (id, peer) -> replicas.put(id, lifetimes.add("replica calls", transport.client(peer))));
    Map<Integer, RpcClient> others = new TreeMap<>(replicas);
    others.remove(identity.id());
    Founding founding =
        new Founding(
            new Introduction(identity, options.peers(), options.joins()),
            others,
            transport::client);
    switchboard.connectMetadata(founding);
    lifetimes.add("listener", Listening.serve(transport, address, switchboard));
    LOG.info(
        "Replica {} of a metadata service at {}, disk {}, fabric {}",
        identity.id(),
        Addresses.text(address),
        Long.toHexString(identity.disk()),
        selection.description());
    return new Parts(transport, registry, founding, replicas);
  }

  /** The other replicas know this one by its address, and its engine needs the next port. */
  private void checkAddress(ReplicaIdentity identity) throws IOException {
    String address = Addresses.text(options.listen());
    if (!identity.clusterId().isEmpty() && !identity.address().equals(address)) {
      throw new CommandFailure(
          "replica "
              + identity.id()
              + " is known in its cluster at "
              + identity.address()
              + ", not at "
              + address
              + ": listen there; to move it, remove it and add one under a new number");
    }
    InetSocketAddress engine =
        new InetSocketAddress(options.listen().getAddress(), options.listen().getPort() + 1);
    if (!Addresses.isFree(engine.getAddress(), engine.getPort())) {
      throw Listening.cannotListen(engine, new BindException("the replicas' own port is in use"));
    }
  }

  /** From now on the replica takes part in its cluster. */
  @SuppressWarnings("MustBeClosedChecker") // lifetimes closes all
  private synchronized void become(ReplicaIdentity member, Parts with) throws IOException {
    if (closed) {
      return;
    }
    ReplicaIdentity here = member.at(Addresses.text(options.listen()));
    here.keep(options.stateDirectory());
    LOG.info("Replica {} of cluster {}", here.id(), here.clusterId());
    MetadataReplica opened =
        lifetimes.add(
            "metadata service",
            MetadataReplica.open(
                MetadataReplica.options(options, here),
                here.address(),
                with.transport(),
                with.registry()));
    switchboard.connectMetadata(opened);
    replica = opened;
    identity = here;
  }

  private void startInBackground() {
    try {
      Parts with = parts;
      if (with == null) {
        return;
      }
      if (identity == null) {
        become(with.founding().await(), with);
      }
      ReplicaIdentity member = identity;
      MetadataReplica running = replica;
      if (member != null && running != null) {
        awaitMembership(member, running);
        new Registration(member, List.copyOf(with.replicas().values())).carryOut();
        LOG.info("Replica {} is registered", member.id());
      }
    } catch (InterruptedException e) {
      LOG.debug("ended while starting", e);
    } catch (IOException | CommandFailure e) {
      fail(
          e instanceof CommandFailure f
              ? f
              : new CommandFailure(String.valueOf(e.getMessage()), e));
    } catch (RuntimeException | Error e) {
      LOG.error("Could not start", e);
      fail(new CommandFailure("internal error: " + e, e));
    }
  }

  /** Until it is taken in its number is free. */
  private static void awaitMembership(ReplicaIdentity member, MetadataReplica running)
      throws InterruptedException {
    while (!running.isMember(member.id())) {
      TimeUnit.MILLISECONDS.sleep(MEMBERSHIP_MILLIS);
    }
  }

  private void fail(CommandFailure reason) {
    LOG.error("Ends: {}", reason.getMessage());
    failure = reason;
    ended.countDown();
  }

  @Override
  public String remark() {
    return Stream.of(remark, fabricWarning)
        .filter(text -> !text.isEmpty())
        .collect(Collectors.joining("; "));
  }

  @Override
  public void awaitEnd() throws InterruptedException {
    ended.await();
    CommandFailure reason = failure;
    if (reason != null) {
      throw reason;
    }
  }

  @Override
  public void close() {
    waiting.interrupt();
    synchronized (this) {
      closed = true;
      lifetimes.close();
    }
    ended.countDown();
    if (Thread.currentThread() != waiting) {
      joinStart();
    }
    LOG.info("Ended");
  }

  private void joinStart() {
    try {
      waiting.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
