package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.history.NameHistory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * A few names are made, moved, looked up and removed: in the end, in an order that explains all.
 */
final class ChangingNames implements Work {
  private static final int WORKERS_OF_HOST = 2;
  private static final int NAMES = 8;
  private static final int MOST_STEPS = 400;
  private static final int PAUSE_MILLIS = 200;

  private final ClusterFixture cluster;
  private final ExecutorService threads;
  private final long seed;
  private final NameHistory history = new NameHistory();
  private final List<Future<Void>> workers = new ArrayList<>();
  private volatile boolean ended;

  ChangingNames(ClusterFixture cluster, ExecutorService threads, long seed) {
    this.cluster = cluster;
    this.threads = threads;
    this.seed = seed;
  }

  @Override
  public void begin() throws Exception {
    System.out.println("ChangingNames: seed " + seed);
    Files.createDirectory(cluster.mnt(1).resolve("history"));
    for (int worker = 0; worker < WORKERS_OF_HOST * cluster.hosts(); worker++) {
      Path directory = cluster.mnt(worker % cluster.hosts() + 1).resolve("history");
      Random random = new Random(seed + worker);
      workers.add(threads.submit(() -> run(directory, random)));
    }
  }

  private Void run(Path directory, Random random) throws Exception {
    for (int i = 0; i < MOST_STEPS && !ended; i++) {
      history.step(directory, "name-" + random.nextInt(NAMES), random);
      Thread.sleep(random.nextInt(PAUSE_MILLIS));
    }
    return null;
  }

  @Override
  public void end() {
    ended = true;
  }

  @Override
  public void check() throws Exception {
    for (Future<Void> worker : workers) {
      worker.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
    assertThat(history.size()).isGreaterThan(200);
    assertThat(history.violations()).as("seed %s", seed).isEmpty();
  }
}
