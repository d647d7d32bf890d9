package io.regionfs.metaserver;

import io.regionfs.proto.Recall;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Recalls from nodes that owe: one thread and one call at a time per node, with all that has
 * gathered for it, repeated until it is answered.
 */
final class Recaller implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Recaller.class);
  private static final Duration ATTEMPT = Duration.ofMillis(500);
  private static final long FIRST_PAUSE_MILLIS = 10;
  private static final long LONGEST_PAUSE_MILLIS = 200;

  private final long term;
  private final Ledger ledger;
  private final NodeCalls nodes;
  private final LongSupplier clock;
  private final ServiceMetrics metrics;
  private final AtomicInteger threads = new AtomicInteger();
  private final ExecutorService executor =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "recall-" + threads.incrementAndGet());
            thread.setDaemon(true);
            return thread;
          });

  Recaller(long term, Ledger ledger, NodeCalls nodes, LongSupplier clock, ServiceMetrics metrics) {
    this.metrics = metrics;
    this.term = term;
    this.ledger = ledger;
    this.nodes = nodes;
    this.clock = clock;
  }

  /** Once per holder at a time, see {@link Holder#startCalling}. */
  void start(Holder holder) {
    try {
      executor.execute(() -> recallAll(holder));
    } catch (RejectedExecutionException e) {
      LOG.debug("The term is over: nothing is recalled from node {}", holder.node(), e);
    }
  }

  private void recallAll(Holder holder) {
    try {
      long pause = FIRST_PAUSE_MILLIS;
      List<Long> inodes = ledger.nextRecall(holder);
      while (inodes != null) {
        long start = System.nanoTime();
        if (recall(holder.node(), inodes)) {
          metrics.recalled(start);
          pause = FIRST_PAUSE_MILLIS;
          ledger.answered(holder, clock.getAsLong());
        } else {
          TimeUnit.MILLISECONDS.sleep(pause);
          pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
        }
        inodes = ledger.nextRecall(holder);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the term is over, and with it this thread's work
    }
  }

  private boolean recall(int node, List<Long> inodes) throws InterruptedException {
    Recall recall =
        Recall.newBuilder().setTerm(term).addAllInodes(inodes).setAll(inodes.isEmpty()).build();
    @Nullable Reply reply = nodes.call(node, Request.newBuilder().setRecall(recall), ATTEMPT);
    if (reply != null && reply.getErrno() != 0) {
      LOG.warn("Node {} refuses a recall: {}", node, reply.getDetail());
    }
    return reply != null && reply.getErrno() == 0;
  }

  /** Ends the threads; does not wait for them. */
  @Override
  public void close() {
    executor.shutdownNow();
  }
}
