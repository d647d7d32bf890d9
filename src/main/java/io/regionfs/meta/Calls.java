package io.regionfs.meta;

import io.regionfs.meta.LeaderSearch.Target;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.proto.OpenSession;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcException.Outcome;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls to whichever replica leads, repeated until one answers. A command keeps its number over all
 * its attempts, so that it counts once.
 */
final class Calls implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Calls.class);
  private static final int FIRST_PAUSE_MILLIS = 10;
  private static final int LONGEST_PAUSE_MILLIS = 200;

  private final MetadataClientOptions options;
  private final LeaderSearch search;

  /** Taken by who opens a session, while the service is asked. */
  private final ReentrantLock opening = new ReentrantLock();

  /** Null if none is open. */
  private volatile @Nullable ClientSession session;

  private volatile String clusterId = "";
  private volatile boolean closed;

  Calls(Replicas replicas, MetadataClientOptions options) {
    this.options = options;
    this.search = new LeaderSearch(replicas);
  }

  /** What became of the attempts of one command. */
  private static final class Fate {
    private boolean maybeDone;
  }

  /** A session is not opened with another cluster than this. */
  void cluster(String id) {
    clusterId = id;
  }

  /** The reply to a call that changes nothing that matters when it comes twice; never a refusal. */
  Reply ask(Request.Builder request) {
    return checked(answer(request));
  }

  /** As {@link #ask}, but a refusal is returned. */
  Reply answer(Request.Builder request) {
    try {
      return repeat(asked(request), new Fate());
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private Request asked(Request.Builder request) {
    ClientSession open = session;
    return request
        .setVersion(MetadataProtocol.VERSION)
        .setClientId(open == null ? 0 : open.id())
        .build();
  }

  /**
   * The reply to a call that must count once; never a refusal. EIO if the service has ended this
   * client's session while it was not known whether the command was carried out.
   */
  Reply command(Request.Builder request) {
    try {
      Reply reply;
      do {
        reply = tryCommand(request);
      } while (reply == null);
      return checked(reply);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** Null if it has to be repeated in another session. */
  private @Nullable Reply tryCommand(Request.Builder request) throws InterruptedException {
    ClientSession open = openSession();
    Fate fate = new Fate();
    Reply reply = send(open, request, fate);
    if (!reply.getNoSession()) {
      return reply;
    }
    LOG.warn("The metadata service ended the session of this client; opening another");
    forget(open);
    if (fate.maybeDone) {
      throw new FsException(
          Errno.EIO,
          "the metadata service ended this client's session before it said whether it carried out"
              + " a command");
    }
    return null;
  }

  private Reply send(ClientSession open, Request.Builder request, Fate fate)
      throws InterruptedException {
    Sequences sequences = open.sequences();
    long sequence = sequences.begin();
    try {
      request
          .setVersion(MetadataProtocol.VERSION)
          .setClientId(open.id())
          .setSequence(sequence)
          .setAcknowledged(sequences.acknowledged());
      return repeat(request.build(), fate);
    } finally {
      sequences.end(sequence);
    }
  }

  private ClientSession openSession() throws InterruptedException {
    ClientSession open = session;
    if (open != null) {
      return open;
    }
    opening.lockInterruptibly();
    try {
      open = session;
      if (open == null) {
        open = new ClientSession();
        OpenSession message = OpenSession.newBuilder().setClusterId(clusterId).build();
        Operation operation = Operation.newBuilder().setOpenSession(message).build();
        checked(send(open, Request.newBuilder().setOperation(operation), new Fate()));
        session = open;
      }
      return open;
    } finally {
      opening.unlock();
    }
  }

  private void forget(ClientSession ended) throws InterruptedException {
    opening.lockInterruptibly();
    try {
      if (session == ended) {
        session = null;
      }
    } finally {
      opening.unlock();
    }
  }

  /** One attempt; null if no replica answered in this time. */
  @Nullable Reply tryOnce(Request.Builder request, Duration within) {
    try {
      Target asked = search.target();
      Reply reply = attempt(asked, asked(request), within, new Fate());
      if (reply == null || !isAnswer(reply)) {
        findAnother(asked, reply);
        return null;
      }
      return checked(reply);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** Attempts for some time; null if no replica answered in it. */
  @Nullable Reply tryFor(Request.Builder request, Duration within) {
    long end = System.nanoTime() + within.toNanos();
    try {
      Request call = asked(request);
      for (int failures = 0; !closed; failures++) {
        Target asked = search.target();
        Duration left = Duration.ofNanos(Math.max(1, end - System.nanoTime()));
        Reply reply = attempt(asked, call, left, new Fate());
        if (reply != null && isAnswer(reply)) {
          return checked(reply);
        }
        findAnother(asked, reply);
        if (System.nanoTime() - end >= 0) {
          break;
        }
        pause(failures);
      }
      return null;
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private Reply repeat(Request request, Fate fate) throws InterruptedException {
    long start = System.nanoTime();
    long followed = 0;
    int failures = 0;
    while (true) {
      if (closed) {
        throw new FsException(Errno.ENOTCONN, "the metadata client is closed");
      }
      Target asked = search.target();
      Reply reply = attempt(asked, request, options.attempt(), fate);
      if (reply != null && isAnswer(reply)) {
        return reply;
      }
      checkPatience(start);
      findAnother(asked, reply);
      long term = search.target().term();
      if (term > followed) { // news: no need to wait
        followed = term;
      } else {
        pause(failures);
        failures++;
      }
    }
  }

  private void checkPatience(long start) {
    Duration limit = options.giveUpAfter();
    Duration waited = Duration.ofNanos(System.nanoTime() - start);
    if (limit != null && waited.compareTo(limit) >= 0) {
      throw new FsException(
          Errno.ETIMEDOUT, "the metadata service did not answer for " + waited.toSeconds() + " s");
    }
  }

  /** Null if this replica did not answer, or another was found to lead meanwhile. */
  private @Nullable Reply attempt(Target asked, Request request, Duration within, Fate fate)
      throws InterruptedException {
    long start = System.nanoTime();
    try {
      Reply reply =
          asked.replica().client().call(request, within, () -> search.isDeposed(asked, start));
      if (isAnswer(reply)) {
        search.answered(asked);
      } else {
        fate.maybeDone = true; // it may have led when it took the command
      }
      return reply;
    } catch (RpcException e) {
      fate.maybeDone |= e.outcome() == Outcome.UNKNOWN;
      LOG.debug("{} did not answer {}: {}", asked, request.getCallCase(), e.getMessage());
      return null;
    }
  }

  private static boolean isAnswer(Reply reply) {
    return reply.getErrno() != Errno.EAGAIN.code();
  }

  /**
   * @param reply of the replica that does not lead; null: it did not answer
   */
  private void findAnother(Target asked, @Nullable Reply reply) {
    if (reply == null || !search.heard(reply.getLeadership())) {
      search.pass(asked, reply != null);
    }
  }

  /** With jitter, so that the callers of many nodes do not come all at once. */
  private static void pause(int failures) throws InterruptedException {
    int longest = FIRST_PAUSE_MILLIS << Math.min(failures, Integer.SIZE / 4);
    int millis = Math.min(longest, LONGEST_PAUSE_MILLIS);
    Thread.sleep(ThreadLocalRandom.current().nextInt(millis / 2, millis + 1));
  }

  private static FsException interrupted(InterruptedException e) {
    return new FsException(Errno.EINTR, "interrupted while waiting for the metadata service", e);
  }

  /** FsException if the reply is a refusal. */
  static Reply checked(Reply reply) {
    if (reply.getErrno() != 0) {
      throw new FsException(Errno.of(reply.getErrno()), reply.getDetail());
    }
    return reply;
  }

  /** Who waits for the service gets ENOTCONN. */
  @Override
  public void close() {
    closed = true;
    search.close();
  }
}
