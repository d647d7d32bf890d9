package io.regionfs.cli;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** Tests of one class share a cluster. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class SharedCluster {
  private final int hosts;
  private final int replicas;
  private final Object[] mountOptions;
  ClusterFixture cluster;

  /** Two hosts. */
  SharedCluster() {
    this(2, 1);
  }

  /**
   * @param replicas of the metadata service
   * @param mountOptions of every host
   */
  @SuppressWarnings("NullAway.Init") // set before the first test
  SharedCluster(int hosts, int replicas, Object... mountOptions) {
    this.hosts = hosts;
    this.replicas = replicas;
    this.mountOptions = mountOptions;
  }

  @BeforeAll
  final void up() throws Exception {
    cluster = new ClusterFixture(hosts, replicas, mountOptions);
  }

  @AfterAll
  @SuppressWarnings("NullAway") // null if the hosts could not be made or the tests are skipped
  final void down() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }
}
