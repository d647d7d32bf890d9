package io.regionfs.meta;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.JoinReply;
import io.regionfs.proto.Renew;
import io.regionfs.proto.RenewReply;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's membership in the cluster: joined when it is made, kept by renewals in a thread of its
 * own once it is started, left when it is closed.
 */
public final class Membership implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Membership.class);

  /** So that four renewals may be lost before the lease is. */
  private static final int RENEWALS_PER_LEASE = 5;

  private static final int RENEWALS_PER_CACHE_LEASE = 4;

  private static final Duration LEAVE_DEADLINE = Duration.ofSeconds(2);
  private static final long CLOSE_SECONDS = 10;

  private final MetadataClient metadata;
  private final Identity identity;
  private final JoinReply joined;
  private final ScheduledExecutorService renewals =
      Executors.newSingleThreadScheduledExecutor(named("membership"));

  /** Callbacks may take long; renewals do not wait for them. */
  private final ExecutorService callbacks =
      Executors.newSingleThreadExecutor(named("membership-callbacks"));

  private final AtomicBoolean dropping = new AtomicBoolean();

  /**
   * Who a node is.
   *
   * @param key random, kept in the node's state directory: it is known by it when it comes back
   * @param rpc where it answers calls
   * @param data where its memory is reached one-sided
   */
  public record Identity(String name, long key, InetSocketAddress rpc, InetSocketAddress data) {}

  /** What a node says of itself with every renewal. */
  public record Load(long capacityBytes, long usedBytes, long regions, String fabric) {}

  /** What a node must act upon; called by one thread. */
  public interface Listener {
    /** Drops the bytes of these inodes, if it holds any: it is told again until this returned. */
    void dead(List<InodeId> inodes);

    /**
     * The lease had run out, so the service ended this node's opens; it is a member again, under
     * the same number, and opens again what it still uses.
     */
    void leaseLost();
  }

  private Membership(MetadataClient metadata, Identity identity) {
    this.metadata = metadata;
    this.identity = identity;
    this.joined = join(0);
  }

  /**
   * Joins; waits for the service as every metadata call does. EEXIST if a living node has the name.
   */
  @MustBeClosed
  public static Membership join(MetadataClient metadata, Identity identity) {
    return new Membership(metadata, identity);
  }

  /** A node that still runs keeps its number, even if the service forgot it meanwhile. */
  private JoinReply join(int number) {
    AddNode node =
        AddNode.newBuilder()
            .setName(identity.name)
            .setKey(identity.key)
            .setNode(number)
            .setRpcAddress(Messages.text(identity.rpc))
            .setDataAddress(Messages.text(identity.data))
            .build();
    Request.Builder request = Request.newBuilder();
    request.getMembershipBuilder().setJoin(node);
    metadata.cache().endLease();
    long sent = System.nanoTime();
    JoinReply reply = metadata.calls().command(request).getJoined();
    metadata.calls().cluster(reply.getClusterId());
    metadata.speakFor(new NodeId(reply.getNode()));
    metadata.cache().extend(reply.getTerm(), sent, cacheLeaseNanos(reply));
    return reply;
  }

  private static long cacheLeaseNanos(JoinReply joined) {
    return TimeUnit.MILLISECONDS.toNanos(joined.getCacheLeaseMillis());
  }

  /** This node's number, the same after every restart with the same key. */
  public NodeId node() {
    return new NodeId(joined.getNode());
  }

  public String clusterId() {
    return joined.getClusterId();
  }

  /** Renews at once, so that the service knows the load, and then again and again. Call once. */
  @SuppressWarnings("FutureReturnValueIgnored") // the task reports its own failures
  public void start(Supplier<Load> load, Listener listener) {
    renew(load, listener);
    long period = periodMillis();
    renewals.scheduleWithFixedDelay(
        () -> renewOrLog(load, listener), period, period, TimeUnit.MILLISECONDS);
  }

  private void renewOrLog(Supplier<Load> load, Listener listener) {
    try {
      renew(load, listener);
    } catch (FsException e) {
      if (!renewals.isShutdown()) {
        LOG.warn("The lease was not renewed, trying again: {}", e.getMessage());
      }
    } catch (RuntimeException e) {
      // An exception would end the timer, and with it the lease.
      LOG.error("The lease was not renewed, trying again", e);
    }
  }

  private void renew(Supplier<Load> supplier, Listener listener) {
    Load load = supplier.get();
    Renew renew =
        Renew.newBuilder()
            .setNode(joined.getNode())
            .setCapacityBytes(load.capacityBytes)
            .setUsedBytes(load.usedBytes)
            .setRegions(load.regions)
            .setFabric(load.fabric)
            .build();
    Request.Builder request = Request.newBuilder();
    request.getMembershipBuilder().setRenew(renew);
    long sent = System.nanoTime();
    Reply reply = metadata.calls().tryFor(request, attempt());
    if (reply == null) {
      return;
    }
    RenewReply renewed = reply.getRenewed();
    metadata.nodesVersion(renewed.getNodesVersion());
    if (renewed.getExpired()) {
      rejoin(listener);
    } else {
      metadata.cache().extend(renewed.getTerm(), sent, cacheLeaseNanos(joined));
    }
    if (renewed.getDeadInodesCount() > 0 && dropping.compareAndSet(false, true)) {
      callbacks.execute(() -> drop(renewed, listener));
    }
  }

  private Duration attempt() {
    return Duration.ofMillis(2 * periodMillis());
  }

  /** Often enough also for the cache lease, which is shorter, and whose gap costs the cache. */
  private long periodMillis() {
    long period = joined.getLeaseMillis() / RENEWALS_PER_LEASE;
    if (joined.getCacheLeaseMillis() > 0) {
      period = Math.min(period, joined.getCacheLeaseMillis() / RENEWALS_PER_CACHE_LEASE);
    }
    return Math.max(1, period);
  }

  private void rejoin(Listener listener) {
    LOG.warn("The lease had run out; joining again");
    join(joined.getNode());
    callbacks.execute(
        () -> {
          try {
            listener.leaseLost();
          } catch (RuntimeException e) {
            LOG.error("Could not open again what was open before the lease ran out", e);
          }
        });
  }

  private void drop(RenewReply renewed, Listener listener) {
    try {
      List<InodeId> dead = renewed.getDeadInodesList().stream().map(InodeId::new).toList();
      listener.dead(dead);
      metadata.dropped(dead);
    } catch (RuntimeException e) {
      LOG.warn("Dead inodes were not dropped; they are named again with a later renewal", e);
    } finally {
      dropping.set(false);
    }
  }

  private static ThreadFactory named(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Ends the renewals and tells the service, if it answers, that this node's opens are over. */
  @Override
  public void close() {
    if (renewals.isShutdown()) {
      return;
    }
    renewals.shutdownNow();
    callbacks.shutdownNow();
    try {
      boolean ended =
          renewals.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)
              && callbacks.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
      if (!ended) {
        LOG.warn("A thread of the membership did not end within {} s", CLOSE_SECONDS);
      }
      metadata.cache().endLease();
      Request.Builder request = Request.newBuilder();
      request.getMembershipBuilder().setLeave(joined.getNode());
      metadata.calls().tryFor(request, LEAVE_DEADLINE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (FsException e) {
      LOG.debug("The service was not told that this node leaves", e);
    }
  }
}
