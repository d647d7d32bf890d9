package io.regionfs.meta;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls to whichever replica answers, repeated until one does. A command keeps its number over all
 * its attempts, so that it counts once.
 */
final class Calls {
  private static final Logger LOG = LoggerFactory.getLogger(Calls.class);
  private static final long FIRST_PAUSE_MILLIS = 10;
  private static final long LONGEST_PAUSE_MILLIS = 500;

  private final List<RpcClient> replicas;
  private final MetadataClientOptions options;
  private final long clientId = clientId();
  private final Sequences sequences = new Sequences();

  /** The replica that answered last. */
  private final AtomicInteger current = new AtomicInteger();

  private volatile boolean closed;

  Calls(List<RpcClient> replicas, MetadataClientOptions options) {
    if (replicas.isEmpty()) {
      throw new IllegalArgumentException("no metadata service given");
    }
    this.replicas = List.copyOf(replicas);
    this.options = options;
  }

  private static long clientId() {
    long id = new SecureRandom().nextLong();
    return id == 0 ? 1 : id; // 0 is the service itself
  }

  /** A call that changes nothing that matters when it comes twice. */
  Reply ask(Request.Builder request) {
    try {
      return checked(repeat(request.setClientId(clientId).build()));
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** A call that must count once. */
  Reply command(Request.Builder request) {
    try {
      long sequence = sequences.begin();
      try {
        request.setSequence(sequence).setAcknowledged(sequences.acknowledged());
        return checked(repeat(request.setClientId(clientId).build()));
      } finally {
        sequences.end(sequence);
      }
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** One attempt; null if no replica answered in this time. */
  @Nullable Reply tryOnce(Request.Builder request, Duration within) {
    try {
      Reply reply = attempt(request.setClientId(clientId).build(), within);
      return reply == null ? null : checked(reply);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** Null if this replica did not answer or does not lead: the next attempt goes to another. */
  private @Nullable Reply attempt(Request request, Duration within) throws InterruptedException {
    int asked = current.get();
    RpcClient replica = replicas.get(Math.floorMod(asked, replicas.size()));
    try {
      Reply reply = replica.call(request, within);
      if (reply.getErrno() != Errno.EAGAIN.code()) {
        return reply;
      }
    } catch (RpcException e) {
      LOG.debug("{} was not answered: {}", request.getCallCase(), e.getMessage());
    }
    current.compareAndSet(asked, asked + 1);
    return null;
  }

  private static FsException interrupted(InterruptedException e) {
    return new FsException(Errno.EINTR, "interrupted while waiting for the metadata service", e);
  }

  private Reply repeat(Request request) throws InterruptedException {
    Duration limit = options.giveUpAfter();
    long start = System.nanoTime();
    for (int attempt = 0; ; attempt++) {
      if (closed) {
        throw new FsException(Errno.ENOTCONN, "the metadata client is closed");
      }
      Reply reply = attempt(request, options.attempt());
      if (reply != null) {
        return reply;
      }
      Duration waited = Duration.ofNanos(System.nanoTime() - start);
      if (limit != null && waited.compareTo(limit) >= 0) {
        throw new FsException(
            Errno.ETIMEDOUT,
            "the metadata service did not answer for " + waited.toSeconds() + " s");
      }
      pause(attempt);
    }
  }

  private static void pause(int attempt) throws InterruptedException {
    long millis = FIRST_PAUSE_MILLIS << Math.min(attempt, Integer.SIZE / 2);
    Thread.sleep(Math.min(millis, LONGEST_PAUSE_MILLIS));
  }

  private static Reply checked(Reply reply) {
    if (reply.getErrno() != 0) {
      throw new FsException(Errno.of(reply.getErrno()), reply.getDetail());
    }
    return reply;
  }

  void close() {
    closed = true;
  }
}
