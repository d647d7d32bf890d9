package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.core.State;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.metaserver.ReplicaGroup.Verified;
import io.regionfs.metaserver.state.Replica;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine's lives, one after the other: what breaks is opened again, with growing pauses. One
 * thread watches over it, over the room on the disk and over when a snapshot is due; only it and
 * those who open and close change the engine.
 */
final class Lives implements Machine.Events {
  private static final Logger LOG = LoggerFactory.getLogger(Lives.class);
  private static final long WATCH_MILLIS = 200;
  private static final long CONNECT_MILLIS = 1000;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
  private static final Duration HANDOVER_PAUSE = Duration.ofSeconds(30);
  private static final int CLOSE_SECONDS = 30;

  private final RaftOptions options;
  private final Replica replica;
  private final Leaders leaders;
  private final Appender appender;
  private final Barriers barriers;
  private final LongSupplier freeBytes;
  private final ExecutorService workers =
      Executors.newCachedThreadPool(task -> named(task, "work"));
  private final ScheduledExecutorService watch =
      Executors.newSingleThreadScheduledExecutor(task -> named(task, "watch"));
  private final Snapshots snapshots;
  private final SnapshotSchedule schedule;
  private final AtomicBoolean connecting = new AtomicBoolean();

  private volatile @Nullable Engine engine;
  private volatile @Nullable Machine machine;
  private volatile boolean alone;
  private volatile boolean full;
  private volatile boolean broken;
  private volatile String reason = "";

  @GuardedBy("this")
  private boolean closed;

  @GuardedBy("this")
  private Duration pause = FIRST_PAUSE;

  @GuardedBy("this")
  private long mayReopenAt = System.nanoTime();

  @GuardedBy("this")
  private long mayHandOverAt = System.nanoTime();

  Lives(
      RaftOptions options,
      Replica replica,
      Leaders leaders,
      Appender appender,
      Barriers barriers,
      LongSupplier freeBytes) {
    this.options = options;
    this.replica = replica;
    this.leaders = leaders;
    this.appender = appender;
    this.barriers = barriers;
    this.freeBytes = freeBytes;
    this.snapshots = new Snapshots(replica, workers);
    this.schedule = new SnapshotSchedule(options, snapshots);
  }

  private static Thread named(Runnable task, String name) {
    Thread thread = new Thread(task, "raft-" + name);
    thread.setDaemon(true);
    return thread;
  }

  /** The first life. */
  @SuppressWarnings("FutureReturnValueIgnored") // the task reports its own failures
  synchronized void begin() throws IOException {
    live();
    checkSpace();
    watch.scheduleWithFixedDelay(
        this::lookAfter, WATCH_MILLIS, WATCH_MILLIS, TimeUnit.MILLISECONDS);
    if (options.role() != RaftOptions.Role.HERMIT) {
      watch.scheduleWithFixedDelay(
          this::connect, CONNECT_MILLIS, CONNECT_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  private void live() throws IOException {
    Machine fresh = new Machine(replica, snapshots, leaders, this);
    machine = fresh;
    broken = false;
    Engine.open(
        options,
        fresh,
        snapshots,
        opening -> {
          engine = opening;
          appender.attach(opening.node());
          barriers.attach(opening.node());
        });
  }

  @Override
  public void leads(long term) {
    measureGroup();
    leaders.lead(term);
  }

  /** Before the group may grow, as that decides whether barriers are needed. */
  void groupMayGrow() {
    alone = false;
  }

  void measureGroup() {
    Engine current = engine;
    alone = current != null && current.isAlone();
  }

  @Override
  public void broke(String why) {
    reason = why;
    broken = true;
  }

  boolean isAlone() {
    return alone;
  }

  boolean isFull() {
    return full;
  }

  /** Why this replica does not take changes; empty: it does. */
  String trouble() {
    if (broken) {
      return "the log's engine has stopped and is tried again: " + reason;
    }
    if (full) {
      return String.format(
          "no room for the log: %s has less than %d MiB free",
          options.directory(), options.minFreeBytes() >> 20);
    }
    return snapshots.trouble();
  }

  TakenSnapshot lastSnapshot() {
    return snapshots.last();
  }

  @Nullable Engine engine() {
    return engine;
  }

  ScheduledExecutorService watch() {
    return watch;
  }

  CompletableFuture<Void> snapshot() {
    Engine current = engine;
    return current == null
        ? CompletableFuture.failedFuture(new IOException("the log is closed"))
        : schedule.take(current);
  }

  CompletableFuture<Verified> verify() {
    Engine current = engine;
    Machine state = machine;
    if (current == null || state == null) {
      return CompletableFuture.failedFuture(new IOException("the log is closed"));
    }
    try {
      return CompletableFuture.supplyAsync(
          () -> state.verify(current.node()::getLastAppliedLogIndex), workers);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedFuture(new IOException("the log is closed", e));
    }
  }

  /** In the watching thread. */
  private void lookAfter() {
    try {
      synchronized (this) {
        if (closed) {
          return;
        }
        checkSpace();
        Engine current = engine;
        if (current != null && current.node().getNodeState() == State.STATE_ERROR && !broken) {
          broke("it reports an error");
        }
        if (broken) {
          liveAgain();
        } else if (current != null) {
          handOverIfFull(current);
          schedule.look(current);
        }
      }
    } catch (RuntimeException e) {
      LOG.error("Could not look after the log in {}", options.directory(), e);
    }
  }

  /** In the watching thread, which does not wait for others. */
  private void connect() {
    Engine current = engine;
    if (current == null || connecting.getAndSet(true)) {
      return;
    }
    try {
      workers.execute(
          () -> {
            try {
              current.connectToVoters();
            } catch (RuntimeException e) {
              LOG.debug("Could not connect to the other replicas", e);
            } finally {
              connecting.set(false);
            }
          });
    } catch (RejectedExecutionException e) {
      LOG.debug("Closing", e);
    }
  }

  private void checkSpace() {
    boolean wasFull = full;
    full = freeBytes.getAsLong() < options.minFreeBytes();
    if (full != wasFull) {
      LOG.warn("{}", full ? trouble() : "There is room for the log again");
    }
  }

  @GuardedBy("this")
  private void handOverIfFull(Engine current) {
    if (full && leaders.known().leads() && !alone && System.nanoTime() - mayHandOverAt >= 0) {
      mayHandOverAt = System.nanoTime() + HANDOVER_PAUSE.toNanos();
      LOG.warn("Hands over leadership, as there is no room for the log");
      current.node().transferLeadershipTo(com.alipay.sofa.jraft.entity.PeerId.ANY_PEER);
    }
  }

  @GuardedBy("this")
  private void liveAgain() {
    if (System.nanoTime() - mayReopenAt < 0) {
      return;
    }
    LOG.warn("Opens the log in {} again: {}", options.directory(), reason);
    die();
    replica.reset();
    try {
      live();
      LOG.info("The log in {} is open again", options.directory());
    } catch (IOException | RuntimeException e) {
      LOG.error("Could not open the log in {}", options.directory(), e);
      engine = null;
      broke(String.valueOf(e.getMessage()));
    }
    mayReopenAt = System.nanoTime() + pause.toNanos();
    pause =
        pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
  }

  private void die() {
    alone = false;
    appender.detach();
    barriers.detach();
    Engine dying = engine;
    engine = null;
    if (dying != null) {
      dying.close();
    }
    appender.abandon();
    leaders.nobody();
  }

  void close() {
    synchronized (this) {
      closed = true;
      die();
    }
    watch.shutdownNow();
    workers.shutdown();
    try {
      if (!workers.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)
          || !watch.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.error("The threads of the log have not ended after {} s", CLOSE_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
