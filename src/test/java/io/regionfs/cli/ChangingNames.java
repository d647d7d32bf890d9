package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.history.NameHistory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.ExecutorService;

/**
 * A few names are made, moved, looked up and removed: in the end, in an order that explains all.
 */
final class ChangingNames extends Work<Void> {
  private static final int WORKERS_OF_HOST = 2;
  private static final int NAMES = 8;
  private static final int MOST_STEPS = 400;
  private static final int PAUSE_MILLIS = 200;

  private final long seed;
  private final NameHistory history = new NameHistory();

  ChangingNames(ClusterFixture cluster, ExecutorService threads, long seed) {
    super(cluster, threads);
    this.seed = seed;
  }

  @Override
  void begin() throws Exception {
    System.out.println("ChangingNames: seed " + seed);
    Files.createDirectory(cluster.mnt(1).resolve("history"));
    for (int worker = 0; worker < WORKERS_OF_HOST * cluster.hosts(); worker++) {
      Path directory = cluster.mnt(worker % cluster.hosts() + 1).resolve("history");
      Random random = new Random(seed + worker);
      start(() -> run(directory, random));
    }
  }

  private Void run(Path directory, Random random) throws Exception {
    for (int i = 0; i < MOST_STEPS && !hasEnded(); i++) {
      history.step(directory, "name-" + random.nextInt(NAMES), random);
      Thread.sleep(random.nextInt(PAUSE_MILLIS));
    }
    return null;
  }

  @Override
  void check() throws Exception {
    assertThat(results()).hasSize(WORKERS_OF_HOST * cluster.hosts());
    assertThat(history.size()).isGreaterThan(200);
    assertThat(history.violations()).as("seed %s", seed).isEmpty();
  }
}
