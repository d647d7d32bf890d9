package io.regionfs.data;

import io.regionfs.meta.Metadata;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.NodeId;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.TransferException;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The homes of regions on other hosts, and the one policy for when they do not answer: an attempt
 * that fails drops the link with all that was handed out over it, and is made again after a pause,
 * until the metadata service says that the home is not alive (EIO), the caller is interrupted
 * (EINTR), or an optional limit has passed (ETIMEDOUT). So every attempt must be safe to repeat.
 */
final class Homes implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Homes.class);
  private static final long FIRST_PAUSE_MILLIS = 10;
  private static final long LONGEST_PAUSE_MILLIS = 500;
  private static final int BUSY_PAUSE_MILLIS = 8;
  private static final Duration WORTH_A_WARNING = Duration.ofSeconds(5);

  private final Metadata metadata;
  private final Fabric fabric;
  private final RpcTransport transport;
  private final RemoteOptions options;
  private final ConcurrentHashMap<NodeId, Peer> peers = new ConcurrentHashMap<>();

  Homes(Metadata metadata, Fabric fabric, RpcTransport transport, RemoteOptions options) {
    this.metadata = metadata;
    this.fabric = fabric;
    this.transport = transport;
    this.options = options;
  }

  /**
   * Something done with a home as a whole. FsException is an answer, except EAGAIN: a home that has
   * no time now.
   */
  @FunctionalInterface
  interface Attempt<T> {
    T with(Link link) throws TransferException, RpcException, InterruptedException;
  }

  /** Whether this host's device could swap words of the homes. */
  boolean hasAtomics() {
    return fabric.limits().atomics() != Atomics.NONE;
  }

  RemoteOptions options() {
    return options;
  }

  <T> T untilDone(NodeId home, Attempt<T> attempt) {
    Waiting waiting = null;
    while (true) {
      Peer peer = peer(home);
      Link link = null;
      Exception failure;
      try {
        link = peer.link();
        return attempt.with(link);
      } catch (TransferException | RpcException e) {
        failure = e;
        if (link != null) {
          peer.drop(link);
        }
      } catch (FsException e) {
        if (e.errno() != Errno.EAGAIN) {
          throw e;
        }
        failure = e;
      } catch (InterruptedException e) {
        throw new FsException(Errno.EINTR, "interrupted while node " + home + " is awaited", e);
      }
      if (waiting == null) {
        waiting = new Waiting(home);
      }
      waiting.pauseAfter(failure);
    }
  }

  /** One attempt, for what may as well not happen. */
  void tryOnce(NodeId home, Attempt<?> attempt) {
    Peer peer = peer(home);
    try {
      Link link = peer.link();
      attempt.with(link);
    } catch (TransferException | RpcException | FsException e) {
      LOG.debug("Node {} was not told: {}", home, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Peer peer(NodeId home) {
    Peer peer = peers.get(home);
    return peer != null
        ? peer
        : peers.computeIfAbsent(home, id -> new Peer(id, metadata, fabric, transport, options));
  }

  /** One operation's patience. */
  private final class Waiting {
    private final NodeId home;
    private final long since = System.nanoTime();
    private long pauseMillis;
    private boolean warned;

    Waiting(NodeId home) {
      this.home = home;
    }

    void pauseAfter(Exception failure) {
      LOG.debug("Node {} did not do its part: {}", home, failure.getMessage());
      Duration waited = Duration.ofNanos(System.nanoTime() - since);
      if (!metadata.node(home).alive()) {
        throw new FsException(Errno.EIO, "node " + home + " is not alive", failure);
      }
      @Nullable Duration limit = options.giveUpAfter();
      if (limit != null && waited.compareTo(limit) > 0) {
        throw new FsException(Errno.ETIMEDOUT, "node " + home + " does not answer", failure);
      }
      if (!warned && waited.compareTo(WORTH_A_WARNING) > 0) {
        warned = true;
        LOG.warn("Still waiting for node {}: {}", home, failure.getMessage());
      }
      boolean busy = failure instanceof FsException;
      try {
        Thread.sleep(busy ? ThreadLocalRandom.current().nextInt(BUSY_PAUSE_MILLIS) : pauseMillis);
      } catch (InterruptedException e) {
        throw new FsException(Errno.EINTR, "interrupted while node " + home + " is awaited", e);
      }
      // The first failure is often only a withdrawn key: no pause before the first repetition.
      pauseMillis = Math.min(Math.max(FIRST_PAUSE_MILLIS, 2 * pauseMillis), LONGEST_PAUSE_MILLIS);
    }
  }

  @Override
  public void close() {
    peers.values().forEach(Peer::close);
  }
}
