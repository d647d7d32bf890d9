package io.regionfs.metaserver;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.metaserver.state.Changes;
import io.regionfs.proto.FileLock;
import io.regionfs.proto.Recall;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells nodes which of their waiting requests have their locks now: one attempt and one call at a
 * time per node, with all that has gathered for it. Only a hint, which a node can do without. Safe
 * for use by many threads.
 */
final class LockNotices implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LockNotices.class);
  private static final Duration ATTEMPT = Duration.ofMillis(500);
  private static final int MOST_AT_ONCE = 100;

  private final long term;
  private final NodeCalls nodes;

  /** By node; whoever has an entry is being told. */
  @GuardedBy("this")
  private final Map<Integer, List<FileLock>> due = new HashMap<>();

  private final ExecutorService executor =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "lock-notices");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param nodes borrowed
   */
  LockNotices(long term, NodeCalls nodes) {
    this.term = term;
    this.nodes = nodes;
  }

  /** Does not wait. */
  void applied(Changes changes) {
    for (FileLock granted : changes.granted()) {
      if (add(granted)) {
        start(granted.getNode());
      }
    }
  }

  /** True if nobody tells the node yet. */
  private synchronized boolean add(FileLock granted) {
    List<FileLock> gathered = due.get(granted.getNode());
    boolean first = gathered == null;
    if (gathered == null) {
      gathered = new ArrayList<>();
      due.put(granted.getNode(), gathered);
    }
    gathered.add(granted);
    return first;
  }

  private void start(int node) {
    try {
      executor.execute(() -> tell(node));
    } catch (RejectedExecutionException e) {
      LOG.debug("The term is over: node {} asks the next leader", node, e);
    }
  }

  private void tell(int node) {
    try {
      for (List<FileLock> some = next(node); !some.isEmpty(); some = next(node)) {
        Recall recall = Recall.newBuilder().setTerm(term).addAllGranted(some).build();
        @Nullable Reply reply = nodes.call(node, Request.newBuilder().setRecall(recall), ATTEMPT);
        if (reply == null || reply.getErrno() != 0) {
          LOG.debug("Node {} was not told of {} locks", node, some.size());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the term is over, and with it this thread's work
    }
  }

  /** None: the node is not being told any more. */
  private synchronized List<FileLock> next(int node) {
    List<FileLock> gathered = due.get(node);
    if (gathered == null || gathered.isEmpty()) {
      due.remove(node);
      return List.of();
    }
    List<FileLock> some =
        new ArrayList<>(gathered.subList(0, Math.min(gathered.size(), MOST_AT_ONCE)));
    gathered.subList(0, some.size()).clear();
    return some;
  }

  /** Ends the threads; does not wait for them. */
  @Override
  public void close() {
    executor.shutdownNow();
  }
}
