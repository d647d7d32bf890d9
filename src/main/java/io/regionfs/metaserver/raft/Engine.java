package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.NodeManager;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.option.ReadOnlyOption;
import io.regionfs.metaserver.raft.RaftOptions.Role;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One life of the engine on a replica's directory, from opening to closing or breaking. */
final class Engine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

  /** Of the engine's queues between its threads, in entries; its default takes megabytes. */
  private static final int QUEUE_LENGTH = 1024;

  private static final int CLOSE_SECONDS = 30;
  private static final int TIMER_THREADS = 1;
  private static final int CALL_THREADS = 6;
  private static final int CONNECTS_PER_ELECTION = 5;
  private static final int SHORTEST_CONNECT_MILLIS = 100;

  private final io.regionfs.metaserver.raft.RaftOptions options;
  private final PeerId self;
  private final Storage storage;
  private final NodeImpl node;
  private final @Nullable EngineServer server;
  private final AtomicBoolean closing = new AtomicBoolean();

  private Engine(
      io.regionfs.metaserver.raft.RaftOptions options,
      PeerId self,
      Storage storage,
      NodeImpl node,
      @Nullable EngineServer server) {
    this.options = options;
    this.self = self;
    this.storage = storage;
    this.node = node;
    this.server = server;
  }

  /**
   * Goes on where the directory ends; the machine has all of the last snapshot when it returns.
   *
   * @param opening told of the engine before the machine hears of anything
   * @throws CorruptLog if what is in the directory is damaged
   * @throws IOException if the directory or the port cannot be used
   */
  static Engine open(
      io.regionfs.metaserver.raft.RaftOptions options,
      Machine machine,
      Snapshots snapshots,
      Consumer<Engine> opening)
      throws IOException {
    EngineLogging.restrain();
    RaftOptions engineOptions = engineOptions(options);
    Storage storage = Storage.open(options, engineOptions);
    PeerId self = Voters.self(options);
    @Nullable EngineServer server;
    try {
      server = options.role() == Role.HERMIT ? null : EngineServer.start(self.getEndpoint());
    } catch (IOException e) {
      storage.close();
      throw e;
    }
    NodeManager.getInstance().addAddress(self.getEndpoint());
    NodeImpl node = new NodeImpl(options.group(), self);
    Engine engine = new Engine(options, self, storage, node, server);
    opening.accept(engine);
    try {
      boolean started = node.init(nodeOptions(options, engineOptions, storage, machine));
      engine.checkStarted(started, snapshots);
      engine.moveIfAlone();
      return engine;
    } catch (IOException e) {
      engine.close();
      throw e;
    } catch (RuntimeException e) {
      engine.close();
      throw new IOException("cannot open the log in " + options.directory() + ": " + e, e);
    }
  }

  private static RaftOptions engineOptions(io.regionfs.metaserver.raft.RaftOptions options) {
    RaftOptions engine = new RaftOptions();
    engine.setSync(options.fsync());
    engine.setSyncMeta(options.fsync());
    engine.setEnableLogEntryChecksum(true);
    engine.setOpenStatistics(false);
    engine.setDisruptorBufferSize(QUEUE_LENGTH);
    engine.setMaxElectionDelayMs((int) options.electionTimeout().toMillis() / 2);
    engine.setReadOnlyOptions(
        options.leaseReads() ? ReadOnlyOption.ReadOnlyLeaseBased : ReadOnlyOption.ReadOnlySafe);
    return engine;
  }

  private static NodeOptions nodeOptions(
      io.regionfs.metaserver.raft.RaftOptions options,
      RaftOptions engineOptions,
      Storage storage,
      Machine machine) {
    NodeOptions node = new NodeOptions();
    node.setRaftOptions(engineOptions);
    node.setServiceFactory(storage);
    node.setFsm(machine);
    node.setLogUri(options.directory().toString());
    node.setRaftMetaUri(options.directory().toString());
    node.setSnapshotUri(storage.snapshotDirectory().toString());
    node.setElectionTimeoutMs((int) options.electionTimeout().toMillis());
    node.setRpcConnectTimeoutMs(connectMillis(options));
    node.setSnapshotIntervalSecs(0); // by this package, which also counts entries
    node.setEnableRpcChecksum(true);
    node.setTimerPoolSize(TIMER_THREADS);
    // The timers of a process that share nothing wake a thousand times a second, each.
    node.setSharedElectionTimer(true);
    node.setSharedVoteTimer(true);
    node.setSharedStepDownTimer(true);
    node.setSharedSnapshotTimer(true);
    node.setRpcProcessorThreadPoolSize(CALL_THREADS);
    if (options.role() != Role.JOINER) {
      Configuration founders = new Configuration();
      for (Map.Entry<Integer, InetSocketAddress> replica : options.replicas().entrySet()) {
        founders.addPeer(
            replica.getKey() == options.id()
                ? Voters.self(options)
                : Voters.peer(replica.getKey(), replica.getValue()));
      }
      node.setInitialConf(founders);
    }
    return node;
  }

  /**
   * A candidate asks the voters one after the other, and waits that long for one which was stopped
   * or cut off, twice in an election: it must not take as long as the election itself.
   */
  private static int connectMillis(io.regionfs.metaserver.raft.RaftOptions options) {
    long millis = options.electionTimeout().toMillis() / CONNECTS_PER_ELECTION;
    return (int) Math.max(SHORTEST_CONNECT_MILLIS, millis);
  }

  private void checkStarted(boolean started, Snapshots snapshots) throws IOException {
    IOException failure = storage.unreadable();
    if (failure == null) {
      failure = snapshots.unreadable();
    }
    if (failure != null) {
      throw failure;
    }
    if (!started) {
      throw new CorruptLog(
          options.directory(), "its log and its snapshot do not fit together, or one is missing");
    }
  }

  /** A replica that is the only voter takes its new address along; of others nobody may ask. */
  private void moveIfAlone() throws IOException {
    Configuration voters = voters();
    for (PeerId voter : voters.listPeers()) {
      if (Voters.id(voter) != options.id() || voter.equals(self)) {
        continue;
      }
      if (voters.size() > 1) {
        throw new IOException(
            String.format(
                "replica %d is known to the others at %s, not at %s: start it there, or remove it"
                    + " and add it under a new id with an empty state directory",
                options.id(), Voters.address(voter, options), Voters.address(self, options)));
      }
      LOG.info("The only replica moves from {} to {}", voter, self);
      Configuration moved = new Configuration();
      moved.addPeer(self);
      node.resetPeers(moved);
    }
  }

  /**
   * Connects to the other voters where there is no connection: an election that has to make one to
   * a leader which was stopped or cut off takes longer, and more easily ends in a tie. Waits.
   */
  void connectToVoters() {
    for (PeerId voter : voters().listPeers()) {
      if (!voter.equals(self) && !closing.get()) {
        node.getRpcService().connect(voter.getEndpoint());
      }
    }
  }

  NodeImpl node() {
    return node;
  }

  PeerId self() {
    return self;
  }

  Configuration voters() {
    Configuration voters = node.getCurrentConf();
    return voters == null ? new Configuration() : voters;
  }

  /** No majority can form without this replica, so nobody else can have taken over. */
  boolean isAlone() {
    Configuration voters = voters();
    return voters.size() == 1 && voters.contains(self);
  }

  long snapshotIndex() {
    return storage.snapshotIndex();
  }

  @Override
  public void close() {
    if (closing.getAndSet(true)) {
      return;
    }
    if (server != null) {
      server.close();
    }
    CountDownLatch closed = new CountDownLatch(1);
    node.shutdown(status -> closed.countDown());
    try {
      if (!closed.await(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.error("The engine in {} has not ended after {} s", options.directory(), CLOSE_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    NodeManager.getInstance().removeAddress(self.getEndpoint());
  }
}
