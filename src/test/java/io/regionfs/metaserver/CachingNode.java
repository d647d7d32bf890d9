package io.regionfs.metaserver;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.model.Errno;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.Membership;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Recall;
import io.regionfs.proto.Renew;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A node as the service's promise expects it, with a cache as simple as can be: what it keeps, it
 * keeps under the inodes that were granted with it. Its calls may be lost, it may stop answering.
 */
final class CachingNode implements RpcHandler {
  private static final Duration ATTEMPT = Duration.ofMillis(300);

  private final RpcClient service;
  private final long client;
  private final Random faults;
  private final AtomicLong sequence = new AtomicLong();
  private final AtomicLong hits = new AtomicLong();
  private final AtomicLong recalls = new AtomicLong();

  @GuardedBy("this")
  private final Map<Query, Kept> cache = new HashMap<>();

  /** How often something was forgotten. */
  @GuardedBy("this")
  private long generation;

  /** Inodes of own commands under way. */
  @GuardedBy("this")
  private final Map<Long, Integer> changing = new HashMap<>();

  @GuardedBy("this")
  private long term;

  @GuardedBy("this")
  private long leaseEnd = System.nanoTime();

  private volatile int id;
  private volatile long cacheLeaseNanos;
  private volatile boolean stopped;

  private record Kept(Reply reply, List<Long> inodes) {}

  CachingNode(RpcClient service, long client, Random faults) {
    this.service = service;
    this.client = client;
    this.faults = faults;
  }

  long hits() {
    return hits.get();
  }

  long recalls() {
    return recalls.get();
  }

  void stop(boolean stop) {
    stopped = stop;
  }

  private int random(int bound) {
    synchronized (faults) {
      return faults.nextInt(bound);
    }
  }

  private Request.Builder request() {
    return Request.newBuilder().setClientId(client).setVersion(1).setNode(id);
  }

  private Reply repeat(Request request, BooleanSupplier goesOn) throws InterruptedException {
    while (goesOn.getAsBoolean()) {
      try {
        Reply reply = service.call(request, ATTEMPT);
        if (reply.getErrno() != Errno.EAGAIN.code() && random(20) > 0) {
          return reply;
        }
      } catch (RpcException e) {
        // Asked again, under the same number.
      }
      TimeUnit.MILLISECONDS.sleep(1 + random(4));
    }
    throw new InterruptedException("the test is over");
  }

  void join(String name, String address) throws InterruptedException {
    AddNode identity =
        AddNode.newBuilder()
            .setName(name)
            .setKey(client)
            .setRpcAddress(address)
            .setDataAddress("127.0.0.1:1")
            .build();
    forget(null);
    long sent = System.nanoTime();
    Request request =
        request()
            .setSequence(sequence.incrementAndGet())
            .setMembership(Membership.newBuilder().setJoin(identity))
            .build();
    Reply reply = repeat(request, () -> true);
    id = reply.getJoined().getNode();
    cacheLeaseNanos = TimeUnit.MILLISECONDS.toNanos(reply.getJoined().getCacheLeaseMillis());
    renewed(sent, reply.getJoined().getTerm());
  }

  void renew() throws InterruptedException {
    if (stopped) {
      return;
    }
    long sent = System.nanoTime();
    Membership renew = Membership.newBuilder().setRenew(Renew.newBuilder().setNode(id)).build();
    try {
      Reply reply = service.call(request().setMembership(renew).build(), ATTEMPT);
      if (reply.getErrno() == 0 && !reply.getRenewed().getExpired()) {
        renewed(sent, reply.getRenewed().getTerm());
      }
    } catch (RpcException e) {
      // The next one may get through.
    }
  }

  private synchronized void renewed(long sent, long heard) {
    hear(heard);
    if (System.nanoTime() >= leaseEnd) {
      forget(null); // Between the two leases changes did not wait for this node.
    }
    leaseEnd = Math.max(leaseEnd, sent + cacheLeaseNanos);
  }

  @GuardedBy("this")
  private void hear(long heard) {
    if (heard > term) {
      term = heard;
      forget(null);
    }
  }

  /** Null: everything. */
  private synchronized void forget(@Nullable Collection<Long> inodes) {
    generation++;
    if (inodes == null) {
      cache.clear();
      return;
    }
    cache.values().removeIf(kept -> kept.inodes.stream().anyMatch(inodes::contains));
  }

  @Override
  public void handle(Request request, RpcResponder responder) {
    Recall recall = request.getRecall();
    recalls.incrementAndGet();
    if (stopped || random(20) == 0) {
      return; // lost, or on its way for ever
    }
    synchronized (this) {
      hear(recall.getTerm());
      forget(recall.getAll() ? null : recall.getInodesList());
    }
    if (random(20) > 0) {
      responder.reply(Reply.getDefaultInstance());
    }
  }

  /** From the cache, if its lease holds; else from the service. */
  Reply ask(Query query, BooleanSupplier goesOn) throws InterruptedException {
    long before;
    synchronized (this) {
      Kept kept = cache.get(query);
      if (kept != null && System.nanoTime() < leaseEnd) {
        hits.incrementAndGet();
        return kept.reply;
      }
      before = generation;
    }
    Reply reply = repeat(request().setQuery(query).build(), goesOn);
    synchronized (this) {
      hear(reply.getGrant().getTerm());
      List<Long> needed = Involved.in(query, reply);
      if (reply.hasGrant()
          && reply.getGrant().getInodesList().containsAll(needed)
          && reply.getGrant().getTerm() == term
          && generation == before
          && Collections.disjoint(needed, changing.keySet())) {
        cache.put(query, new Kept(reply, needed));
      }
    }
    return reply;
  }

  Reply change(Operation operation, Set<Long> touched, BooleanSupplier goesOn)
      throws InterruptedException {
    synchronized (this) {
      touched.forEach(inode -> changing.merge(inode, 1, Integer::sum));
      forget(touched);
    }
    try {
      Request request =
          request()
              .setSequence(sequence.incrementAndGet())
              .addAllForgotten(touched)
              .setOperation(operation)
              .build();
      return repeat(request, goesOn);
    } finally {
      synchronized (this) {
        forget(touched);
        touched.forEach(
            inode -> changing.computeIfPresent(inode, (key, n) -> n == 1 ? null : n - 1));
      }
    }
  }
}
