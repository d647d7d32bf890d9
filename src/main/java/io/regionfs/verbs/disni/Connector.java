package io.regionfs.verbs.disni;

import io.regionfs.verbs.TransferException;
import io.regionfs.verbs.TransferException.Reason;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes connections in threads of its own. On iWARP the call that asks for a connection returns
 * only when TCP has an answer or has given up, half a minute and more for a peer that has vanished,
 * and cannot be interrupted. So whoever waits here keeps the deadline, and a connection that comes
 * later is ended by the thread that made it.
 */
final class Connector implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Connector.class);

  /** What the maker is given beyond the deadline to say itself what it lacked. */
  private static final Duration GRACE = Duration.ofMillis(200);

  private static final Duration CLOSE = Duration.ofSeconds(5);

  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "fabric-connect");
            thread.setDaemon(true);
            return thread;
          });

  /** How a connection is made. */
  interface Maker {
    DisniConnection make(InetSocketAddress peer, Duration deadline)
        throws TransferException, InterruptedException;
  }

  private final Maker maker;

  Connector(Maker maker) {
    this.maker = maker;
  }

  DisniConnection connect(InetSocketAddress peer, Duration deadline)
      throws TransferException, InterruptedException {
    CompletableFuture<DisniConnection> attempt = new CompletableFuture<>();
    try {
      threads.execute(() -> make(peer, deadline, attempt));
      return attempt.get(deadline.plus(GRACE).toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      abandon(attempt);
      throw new TransferException(
          Reason.TIMED_OUT, "no answer from " + peer + " to the request for a connection", e);
    } catch (InterruptedException e) {
      abandon(attempt);
      throw e;
    } catch (RejectedExecutionException e) {
      throw new TransferException(Reason.DISCONNECTED, "the fabric is closed", e);
    } catch (ExecutionException e) {
      throw failure(peer, e);
    }
  }

  private void make(
      InetSocketAddress peer, Duration deadline, CompletableFuture<DisniConnection> attempt) {
    try {
      DisniConnection made = maker.make(peer, deadline);
      if (!attempt.complete(made)) {
        LOG.debug("A connection to {} came too late", peer);
        made.close();
      }
    } catch (TransferException | InterruptedException | RuntimeException | Error e) {
      if (!attempt.completeExceptionally(e)) {
        LOG.debug("A late attempt to connect to {} failed", peer, e);
      }
    }
  }

  private static void abandon(CompletableFuture<DisniConnection> attempt) {
    if (!attempt.cancel(false) && !attempt.isCompletedExceptionally()) {
      attempt.join().close();
    }
  }

  /** As the waiting thread would have met it. */
  private static TransferException failure(InetSocketAddress peer, ExecutionException e) {
    Throwable cause = e.getCause();
    if (cause instanceof TransferException met) {
      return met;
    }
    if (cause instanceof RuntimeException mistake) {
      throw mistake;
    }
    if (cause instanceof Error fatal) {
      throw fatal;
    }
    return new TransferException(Reason.DISCONNECTED, "connecting to " + peer + " was ended", e);
  }

  /** Ends what is being made; does not wait for ever for a kernel that does not answer. */
  @Override
  public void close() {
    threads.shutdownNow();
    try {
      if (!threads.awaitTermination(CLOSE.toNanos(), TimeUnit.NANOSECONDS)) {
        LOG.warn("The kernel still looks for a peer: what that takes is freed when it has ended");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
