package io.regionfs.metaserver.raft;

import io.regionfs.metaserver.ReplicatedLog;
import io.regionfs.metaserver.ReplicatedLogContract;
import io.regionfs.metaserver.state.Replica;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** The contract of a log, kept by one replica and by three. */
class RaftLogTest {
  abstract static class OfReplicas extends ReplicatedLogContract {
    private final int replicas;
    private Cluster cluster;

    OfReplicas(int replicas) {
      this.replicas = replicas;
    }

    @BeforeEach
    void start(@TempDir Path directory) throws IOException {
      cluster = Cluster.start(replicas, directory);
    }

    @AfterEach
    void stop() {
      cluster.close();
    }

    @Override
    protected ReplicatedLog log() {
      return cluster.leader().log();
    }

    @Override
    protected Replica replica() {
      return cluster.leader().replica();
    }
  }

  @Nested
  class OfOneReplica extends OfReplicas {
    OfOneReplica() {
      super(1);
    }
  }

  @Nested
  class OfThreeReplicas extends OfReplicas {
    OfThreeReplicas() {
      super(3);
    }
  }
}
