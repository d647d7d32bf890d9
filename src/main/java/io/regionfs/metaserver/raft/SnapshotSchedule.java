package io.regionfs.metaserver.raft;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When a snapshot is due: so many entries since the last, or so much time. The more entries follow
 * it, the longer a restart takes.
 */
final class SnapshotSchedule {
  private static final Logger LOG = LoggerFactory.getLogger(SnapshotSchedule.class);

  /** Writing snapshots takes at most this share of the time, however many commands come. */
  private static final int SHARE_OF_TIME = 10;

  private static final long PAUSE_AFTER_FAILURE_NANOS = 10_000_000_000L;

  private final RaftOptions options;
  private final Snapshots snapshots;
  private final AtomicBoolean running = new AtomicBoolean();
  private volatile long lastAt = System.nanoTime();
  private volatile long notBefore = System.nanoTime();

  SnapshotSchedule(RaftOptions options, Snapshots snapshots) {
    this.options = options;
    this.snapshots = snapshots;
  }

  /** Takes one if it is due. */
  void look(Engine engine) {
    long entries = engine.node().getLastAppliedLogIndex() - engine.snapshotIndex();
    long now = System.nanoTime();
    boolean due =
        entries >= options.snapshotEntries()
            || (entries > 0 && now - lastAt >= options.snapshotInterval().toNanos());
    if (due && now - notBefore >= 0 && !running.get()) {
      CompletableFuture<Void> unused =
          take(engine)
              .exceptionally(
                  failure -> {
                    LOG.warn("No snapshot: {}", failure.getMessage());
                    return null;
                  });
    }
  }

  CompletableFuture<Void> take(Engine engine) {
    CompletableFuture<Void> taken = new CompletableFuture<>();
    running.set(true);
    engine
        .node()
        .snapshot(
            status -> {
              lastAt = System.nanoTime();
              running.set(false);
              if (status.isOk()) {
                notBefore = lastAt + SHARE_OF_TIME * snapshots.last().writing().toNanos();
                taken.complete(null);
              } else {
                notBefore = lastAt + PAUSE_AFTER_FAILURE_NANOS;
                taken.completeExceptionally(new IllegalStateException(status.toString()));
              }
            });
    return taken;
  }
}
