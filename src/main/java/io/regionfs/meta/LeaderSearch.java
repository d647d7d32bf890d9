package io.regionfs.meta;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.meta.Replicas.Replica;
import io.regionfs.proto.Administration;
import io.regionfs.proto.AdministrationReply;
import io.regionfs.proto.Leadership;
import io.regionfs.proto.Ping;
import io.regionfs.proto.ReplicaAddress;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcException;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which replica to call: the leader of the latest term that was heard of, or the next in turn while
 * none answers. A leader that was stopped or cut off says nothing, so while one lets a caller wait
 * the other replicas are asked who leads.
 *
 * <p>Safe for use by many threads; its own end by themselves when there is nothing to ask.
 */
final class LeaderSearch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LeaderSearch.class);

  /** A replica that has not answered for so long may not lead any more. */
  static final Duration SUSPICION = Duration.ofMillis(500);

  private static final Duration QUESTION_DEADLINE = Duration.ofSeconds(1);
  private static final int MOST_QUESTIONS = 16;
  private static final Request WHO_LEADS =
      Request.newBuilder()
          .setVersion(MetadataProtocol.VERSION)
          .setAdministration(Administration.newBuilder().setStatus(Ping.getDefaultInstance()))
          .build();

  private final Replicas replicas;
  private final AtomicLong lastRound = new AtomicLong(System.nanoTime() - SUSPICION.toNanos());
  private final ThreadPoolExecutor questions =
      new ThreadPoolExecutor(
          0,
          MOST_QUESTIONS,
          5,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          task -> {
            Thread thread = new Thread(task, "metadata-leader-search");
            thread.setDaemon(true);
            return thread;
          });

  /** Replaced by one thread at a time, under the lock of this. */
  private volatile Target target;

  /**
   * The replica that did not answer last. Others that did not hear of a later term still name it as
   * the leader; it is called again in its turn. Changes as the target does.
   */
  private volatile @Nullable Replica silent;

  /** The term whose leader was logged last: it may be named many times. */
  @GuardedBy("this")
  private long announced;

  /**
   * Whom to call.
   *
   * @param term the latest whose leader was heard of; 0: none
   * @param named whether this is that leader; else its turn has come, as the leader said nothing or
   *     does not lead yet
   */
  record Target(long term, Replica replica, boolean named) {}

  LeaderSearch(Replicas replicas) {
    this.replicas = replicas;
    this.target = new Target(0, replicas.first(), false);
  }

  Target target() {
    return target;
  }

  /** A replica that does not lead says who does; false if that is nothing new. */
  boolean heard(Leadership leadership) {
    Replica leader = replicas.find(leadership.getLeader());
    return leader != null && heard(leadership.getTerm(), leader);
  }

  private synchronized boolean heard(long term, Replica leader) {
    Target known = target;
    boolean earlier = term < known.term;
    boolean same = term == known.term && (leader == known.replica || leader == silent);
    if (earlier || same) {
      return false;
    }
    silent = null;
    target = new Target(term, leader, true);
    if (term != announced) {
      announced = term;
      LOG.info("The metadata service is led by {} in term {}", leader, term);
    }
    return true;
  }

  /** This one did not answer, or does not lead: on to the next, unless that has happened. */
  synchronized void pass(Target asked, boolean answered) {
    Target known = target;
    if (known.term == asked.term && known.replica == asked.replica) {
      silent = answered ? silent : asked.replica;
      target = new Target(asked.term, replicas.after(asked.replica), false);
    }
  }

  /** This one leads. */
  void answered(Target asked) {
    notSilent(asked.replica);
  }

  private void notSilent(Replica replica) {
    if (silent == replica) {
      synchronized (this) {
        if (silent == replica) {
          silent = null;
        }
      }
    }
  }

  /**
   * For who waits for this replica since then: whether another one leads, in a later term or in the
   * one in which this was only tried in its turn. Makes the others be asked when it has taken long.
   */
  boolean isDeposed(Target asked, long sinceNanos) {
    Target now = target;
    boolean later = now.term > asked.term || (now.term == asked.term && now.named && !asked.named);
    if (later && now.replica != asked.replica) {
      return true;
    }
    long time = System.nanoTime();
    if (replicas.size() > 1 && time - sinceNanos >= SUSPICION.toNanos()) {
      long last = lastRound.get();
      if (time - last >= SUSPICION.toNanos() && lastRound.compareAndSet(last, time)) {
        replicas.others(asked.replica).forEach(this::askInBackground);
      }
    }
    return false;
  }

  private void askInBackground(Replica replica) {
    try {
      questions.execute(() -> ask(replica));
    } catch (RejectedExecutionException e) {
      LOG.debug("Too many questions are under way, or the client is closed", e);
    }
  }

  private void ask(Replica replica) {
    try {
      Reply reply = replica.client().call(WHO_LEADS, QUESTION_DEADLINE);
      notSilent(replica);
      if (reply.getErrno() != 0) {
        heard(reply.getLeadership());
        return;
      }
      AdministrationReply state = reply.getAdministration();
      if (state.getLeader() != 0 && state.getLeader() == state.getId()) {
        heard(state.getTerm(), replica);
      } else {
        heard(Leadership.newBuilder().setTerm(state.getTerm()).setLeader(leader(state)).build());
      }
    } catch (RpcException e) {
      LOG.debug("{} does not say who leads: {}", replica, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the client is closed
    }
  }

  private static String leader(AdministrationReply state) {
    return state.getVotersList().stream()
        .filter(voter -> voter.getId() == state.getLeader())
        .map(ReplicaAddress::getAddress)
        .findFirst()
        .orElse("");
  }

  @Override
  public void close() {
    questions.shutdownNow();
  }
}
