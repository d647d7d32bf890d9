package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.RaftGroupService;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.StateMachineAdapter;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.Task;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The engine as it comes, with nothing of ours: replicas that keep entries and do nothing with
 * them.
 */
final class RawEngine implements AutoCloseable {
  private final List<RaftGroupService> groups = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();

  static RawEngine start(int replicas, Path directory) throws Exception {
    RawEngine engine = new RawEngine();
    List<PeerId> peers = new ArrayList<>();
    for (int i = 0; i < replicas; i++) {
      peers.add(new PeerId("127.0.0.1", Cluster.freeAddress().getPort()));
    }
    for (int i = 0; i < replicas; i++) {
      Path own = Files.createDirectories(directory.resolve("raw-" + i));
      NodeOptions options = new NodeOptions();
      options.setElectionTimeoutMs(1000);
      options.setInitialConf(new Configuration(peers));
      options.setLogUri(own.resolve("log").toString());
      options.setRaftMetaUri(own.resolve("meta").toString());
      options.setFsm(new Machine());
      RaftOptions raft = new RaftOptions();
      raft.setSync(true);
      raft.setSyncMeta(true);
      raft.setEnableLogEntryChecksum(true);
      options.setRaftOptions(raft);
      RaftGroupService group = new RaftGroupService("raw", peers.get(i), options);
      engine.groups.add(group);
      engine.nodes.add(group.start());
    }
    return engine;
  }

  private static final class Machine extends StateMachineAdapter {
    @Override
    public void onApply(Iterator entries) {
      while (entries.hasNext()) {
        if (entries.done() != null) {
          entries.done().run(Status.OK());
        }
        entries.next();
      }
    }
  }

  Node leader() {
    Cluster.until("the raw engine has a leader", () -> leading().isPresent());
    return leading().orElseThrow();
  }

  private Optional<Node> leading() {
    return nodes.stream().filter(node -> node.isLeader(false)).findFirst();
  }

  static CompletableFuture<Void> append(Node leader, byte[] entry) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Closure closure =
        status -> {
          if (status.isOk()) {
            done.complete(null);
          } else {
            done.completeExceptionally(new IllegalStateException(status.toString()));
          }
        };
    leader.apply(new Task(ByteBuffer.wrap(entry), closure));
    return done;
  }

  @Override
  public void close() {
    for (RaftGroupService group : groups) {
      group.shutdown();
    }
    try {
      for (RaftGroupService group : groups) {
        group.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the engine ends", e);
    }
  }
}
