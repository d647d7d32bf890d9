package io.regionfs.cli;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** Tests of one class share a cluster of two hosts. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class TwoHosts {
  ClusterFixture cluster;

  @SuppressWarnings("NullAway.Init") // set before the first test
  TwoHosts() {}

  @BeforeAll
  void up() throws Exception {
    cluster = new ClusterFixture(2);
  }

  @AfterAll
  @SuppressWarnings("NullAway") // null if the hosts could not be made or the tests are skipped
  void down() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }
}
