package io.regionfs.metaserver;

import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Namespace.Unsettled;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings back what only the home knows of files whose writer is gone without having told: size,
 * times and memory. Looks for such files in a thread of its own when a member has gone or come and
 * when a term begins; asks their homes and proposes what they say. What a home does not answer for
 * is tried again when it joins.
 *
 * <p>What a home says is proposed only if nobody has opened the file for writing since before it
 * was asked: looked at within the monitor of the proposals, so that it comes before any later
 * opening.
 */
final class Settling implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Settling.class);
  private static final Duration ATTEMPT = Duration.ofSeconds(1);

  /** Inodes looked at without letting commands in between. */
  private static final int SLICE = 10_000;

  private final Replica replica;
  private final Proposals proposals;
  private final NodeCalls nodes;
  private final LongPredicate opening;
  private final AtomicBoolean asked = new AtomicBoolean();
  private final ExecutorService executor =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "settling");
            thread.setDaemon(true);
            return thread;
          });

  /** The inode at hand; 0 if somebody has opened it since. */
  private volatile long watched;

  private volatile boolean closed;

  /**
   * @param opening whether a command that opens this inode is under way
   */
  Settling(Replica replica, Proposals proposals, NodeCalls nodes, LongPredicate opening) {
    this.replica = replica;
    this.proposals = proposals;
    this.nodes = nodes;
    this.opening = opening;
  }

  /** Looks for files to settle, soon. Does not wait. */
  void look() {
    if (asked.compareAndSet(false, true)) {
      try {
        executor.execute(this::settleAll);
      } catch (RejectedExecutionException e) {
        LOG.debug("The term is over", e);
      }
    }
  }

  /** A command was applied. */
  void applied(Operation operation) {
    if (operation.hasOpen() && operation.getOpen().getInode() == watched) {
      watched = 0;
    }
  }

  private void settleAll() {
    asked.set(false);
    Set<Integer> silent = new HashSet<>();
    int settled = 0;
    try {
      long last = replica.read(Namespace::lastInode);
      for (long from = 1; from <= last && !closed; from += SLICE) {
        long first = from;
        for (Unsettled one : replica.<List<Unsettled>>read(n -> n.unsettled(first, SLICE))) {
          if (!closed && !silent.contains(one.home())) {
            settled += settle(one, silent);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the term is over
    } catch (RuntimeException e) {
      LOG.error("Could not settle files whose writers are gone", e);
    }
    if (settled > 0) {
      LOG.info("{} files whose writers are gone were settled", settled);
    }
  }

  private int settle(Unsettled file, Set<Integer> silent) throws InterruptedException {
    watched = file.inode();
    if (!isUnsettled(file)) {
      return 0;
    }
    HomeCall stat =
        HomeCall.newBuilder().setInode(file.inode()).setStat(Ping.getDefaultInstance()).build();
    Reply reply = nodes.call(file.home(), Request.newBuilder().setHome(stat), ATTEMPT);
    if (reply == null) {
      silent.add(file.home());
      return 0;
    }
    if (reply.getErrno() != 0 || !reply.getHome().hasStat()) {
      LOG.debug("Inode {} cannot be settled: {}", file.inode(), reply.getDetail());
      return 0;
    }
    Operation settle =
        Operation.newBuilder()
            .setSettle(reply.getHome().getStat().toBuilder().setInode(file.inode()))
            .build();
    return proposals.proposeIf(settle, () -> isUndisturbed(file)) ? 1 : 0;
  }

  private boolean isUndisturbed(Unsettled file) {
    return !opening.test(file.inode()) && isUnsettled(file) && watched == file.inode();
  }

  private boolean isUnsettled(Unsettled file) {
    return !replica.<List<Unsettled>>read(n -> n.unsettled(file.inode(), 1)).isEmpty();
  }

  /** Does not wait. */
  @Override
  public void close() {
    closed = true;
    executor.shutdownNow();
  }
}
