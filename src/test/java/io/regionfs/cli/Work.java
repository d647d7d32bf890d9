package io.regionfs.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * What goes on, on all hosts of a cluster, while something happens to it.
 *
 * @param <T> what a worker returns
 */
abstract class Work<T> {
  static final Duration PATIENCE = Shell.patience(Duration.ofSeconds(60));

  final ClusterFixture cluster;
  private final ExecutorService threads;
  private final List<Future<T>> workers = new ArrayList<>();
  private volatile boolean ended;

  Work(ClusterFixture cluster, ExecutorService threads) {
    this.cluster = cluster;
    this.threads = threads;
  }

  /** Goes on in threads of its own from now on. */
  abstract void begin() throws Exception;

  final void start(Callable<T> worker) {
    workers.add(threads.submit(worker));
  }

  /** Something has happened: whether all is still as it should be. */
  void look() throws Exception {}

  /** The threads end soon. Also where it has not begun. */
  void end() throws IOException {
    ended = true;
  }

  final boolean hasEnded() {
    return ended;
  }

  /** After the end: what the workers return. */
  final List<T> results() throws Exception {
    List<T> results = new ArrayList<>();
    for (Future<T> worker : workers) {
      results.add(worker.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }
    return results;
  }

  /** After the end: whether all is as it should be then. */
  abstract void check() throws Exception;
}
