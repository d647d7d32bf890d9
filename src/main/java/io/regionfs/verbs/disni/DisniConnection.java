package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.TransferException;
import io.regionfs.verbs.TransferException.Reason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One queue pair with a completion queue of its own, shared by many threads.
 *
 * <p>Posting is serialised by the post lock. Of the threads that wait, one leads: it polls the
 * completion queue and completes the batches of all; when its own is complete, it wakes the waiter
 * of the oldest batch in flight, which leads next. The first failure ends the connection: the queue
 * pair is destroyed, so that no byte moves any more, and then every batch in flight fails. The
 * other resources go when the last thread has left; {@link #users} counts them.
 */
final class DisniConnection implements Connection {
  private static final Logger LOG = LoggerFactory.getLogger(DisniConnection.class);

  private final DisniFabric fabric;
  private final InetSocketAddress peer;
  private final Introduction introduction;
  private final Heartbeat heartbeat;
  private final RdmaEventChannel events;
  private final RdmaCmId id;
  private final CompletionQueue completions;
  private final int number;
  private final SendQueue sendQueue;
  private final InFlight inFlight;

  private final ReentrantLock postLock = new ReentrantLock();
  private final AtomicBoolean led = new AtomicBoolean();
  private final AtomicInteger users = new AtomicInteger();
  private final AtomicBoolean closing = new AtomicBoolean();
  private final AtomicBoolean released = new AtomicBoolean();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private volatile String closedBecause = "closed";

  /** The batch that is being posted, and which one it is: the device must not block, but may. */
  private volatile @Nullable DisniBatch posting;

  private volatile long postingSequence;
  private volatile long postingNanos;

  private volatile @Nullable String failure;

  /** The keeper's. */
  private boolean failureSeen;

  /** What the keeper saw being posted, and since when. */
  private long seenSequence = -1;

  private long seenSince;

  DisniConnection(
      DisniFabric fabric,
      InetSocketAddress peer,
      Introduction introduction,
      Heartbeat heartbeat,
      RdmaEventChannel events,
      RdmaCmId id,
      IbvQP queuePair,
      CompletionQueue completions,
      int depth)
      throws IOException {
    this.fabric = fabric;
    this.peer = peer;
    this.introduction = introduction;
    this.heartbeat = heartbeat;
    this.events = events;
    this.id = id;
    this.completions = completions;
    this.number = queuePair.getQp_num();
    this.sendQueue = SendQueue.of(queuePair, fabric.limits());
    this.inFlight = new InFlight(sendQueue.operations(depth));
  }

  /** The number of its queue pair. */
  int queuePair() {
    return number;
  }

  @Override
  public Batch newBatch() {
    return new DisniBatch(fabric.limits().atomics() != Atomics.NONE);
  }

  @Override
  public boolean isOpen() {
    return !closing.get();
  }

  @Override
  public void execute(Batch batch, Duration deadline)
      throws TransferException, InterruptedException {
    DisniBatch mine = (DisniBatch) batch;
    if (mine.size() == 0) {
      return;
    }
    mine.deadline.set(deadline.toNanos());
    boolean fenced =
        fabric.writesCompleteEarly() && mine.endsWithWrite() && heartbeat.reachesPeer();
    if (fenced) {
      heartbeat.addFence(mine);
    }
    users.incrementAndGet();
    try {
      mine.waiter = Thread.currentThread();
      if (mine.deadline.isHopeless()) {
        stop(null, Reason.DISCONNECTED, "a deadline had passed");
        throw new TransferException(
            Reason.TIMED_OUT, "the deadline has passed (peer " + peer + ")");
      }
      post(mine, deadline.toNanos());
      await(mine);
      if (mine.state == DisniBatch.FAILED) {
        throw new TransferException(mine.reason, mine.detail + " (peer " + peer + ")");
      }
    } catch (InterruptedException e) {
      stop(mine, Reason.DISCONNECTED, "a waiting thread was interrupted");
      throw e;
    } finally {
      mine.state = DisniBatch.IDLE;
      if (fenced) {
        mine.dropBehind();
      }
      leave();
    }
  }

  private void post(DisniBatch mine, long nanos) throws TransferException, InterruptedException {
    if (!postLock.tryLock() && !postLock.tryLock(mine.deadline.left(), TimeUnit.NANOSECONDS)) {
      stop(null, Reason.DISCONNECTED, "a batch could not be posted within its deadline");
      throw new TransferException(Reason.TIMED_OUT, "waiting to post to " + peer);
    }
    try {
      awaitRoom(mine.size(), mine.deadline);
      if (closing.get()) {
        throw new TransferException(Reason.DISCONNECTED, closedBecause + " (peer " + peer + ")");
      }
      long sequence = inFlight.add(mine);
      postingSequence = sequence;
      postingNanos = nanos;
      posting = mine;
      sendQueue.post(mine, sequence);
    } catch (IOException e) {
      stop(mine, Reason.DISCONNECTED, "the device took no more work: " + e.getMessage());
    } finally {
      posting = null;
      postLock.unlock();
    }
  }

  /** Back-pressure: the send queue's depth is never exceeded. Under the post lock. */
  private void awaitRoom(int operations, Deadline deadline)
      throws TransferException, InterruptedException {
    while (!inFlight.hasRoom(operations) && !closing.get()) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      long left = deadline.left();
      if (left <= 0) {
        stop(null, Reason.DISCONNECTED, "the send queue stayed full");
        throw new TransferException(Reason.TIMED_OUT, "send queue to " + peer + " stayed full");
      }
      inFlight.roomWaiter(Thread.currentThread());
      if (!inFlight.hasRoom(operations) && !closing.get()) {
        LockSupport.parkNanos(this, left);
      }
      inFlight.roomWaiter(null);
    }
  }

  private void await(DisniBatch mine) throws InterruptedException {
    while (mine.state == DisniBatch.IN_FLIGHT) {
      if (led.compareAndSet(false, true)) {
        try {
          lead(mine);
        } finally {
          led.set(false);
          inFlight.wakeOldest();
        }
        continue;
      }
      checkInterrupt();
      checkDeadline(mine);
      if (mine.state == DisniBatch.IN_FLIGHT) {
        LockSupport.parkNanos(this, Math.max(1, mine.deadline.left()));
      }
    }
  }

  private void lead(DisniBatch mine) throws InterruptedException {
    try {
      while (mine.state == DisniBatch.IN_FLIGHT) {
        if (handle(completions.poll()) > 0) {
          continue;
        }
        checkInterrupt();
        if (mine.state == DisniBatch.IN_FLIGHT
            && handle(completions.await(mine.deadline.sliceMillis())) == 0) {
          checkDeadline(mine);
        }
      }
    } catch (IOException e) {
      if (e.getCause() instanceof InterruptedException) {
        throw (InterruptedException) new InterruptedException().initCause(e);
      }
      stop(mine, Reason.DISCONNECTED, "the completion queue failed: " + e.getMessage());
    }
  }

  private static void checkInterrupt() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
  }

  /** Ends the connection if the waiting thread's time is up. */
  private void checkDeadline(DisniBatch mine) {
    if (mine.deadline.hasPassed()) {
      stop(mine, Reason.TIMED_OUT, "no completion within the deadline");
    }
  }

  private int handle(int count) {
    for (int i = 0; i < count; i++) {
      int status = completions.status(i);
      DisniBatch batch = inFlight.completed(completions.id(i), status == CompletionStatus.SUCCESS);
      if (batch != null && status != CompletionStatus.SUCCESS) {
        stop(batch, CompletionStatus.reason(status), CompletionStatus.name(status));
      }
    }
    return count;
  }

  /**
   * Ends the connection, once; returns when the device touches no memory of this host any more, the
   * peer is to be told, and every batch in flight has failed: the culprit with this reason, the
   * others as disconnected. Completions that the device still delivers find no batch.
   */
  private void stop(@Nullable DisniBatch culprit, Reason reason, String detail) {
    if (!closing.compareAndSet(false, true)) {
      awaitStopped();
      return;
    }
    closedBecause = detail;
    LOG.debug("Connection to {} ends: {}", peer, detail);
    try {
      id.disconnect();
    } catch (IOException e) {
      LOG.debug("Disconnecting from {}", peer, e);
    }
    inFlight.wakeForRoom();
    postLock.lock();
    try {
      id.destroyQP();
    } catch (IOException e) {
      LOG.warn("The queue pair to {} could not be destroyed", peer, e);
    } finally {
      postLock.unlock();
    }
    if (!inFlight.isEmpty()) {
      fabric.fences().endedInFlight(peer, introduction.number());
    }
    inFlight.failAll(culprit, reason, detail);
    stopped.countDown();
  }

  private void awaitStopped() {
    boolean interrupted = false;
    while (true) {
      try {
        stopped.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Looks for what no waiting thread sees: that the peer has left or vanished, that a batch is
   * stuck in the device. Called by the fabric's keeper.
   */
  void check() {
    users.incrementAndGet();
    try {
      DisniBatch stuck = posting;
      if (stuck != null && isOverdue(postingSequence)) {
        stop(stuck, Reason.TIMED_OUT, "the device did not take a batch within its deadline");
      }
      endIfFailed();
      if (!closing.get() && peerHasLeft()) {
        stop(null, Reason.DISCONNECTED, "the peer has closed the connection");
      }
      if (!closing.get()) {
        beat();
      }
    } finally {
      leave();
    }
  }

  /** The device says that the queue pair is of no more use. */
  void failed(String event) {
    failure = event;
  }

  /** A completion tells the reason better than the device's event: it has until the next look. */
  private void endIfFailed() {
    String event = failure;
    if (event != null && failureSeen) {
      stop(null, Reason.DISCONNECTED, "the device reports " + event);
    }
    failureSeen = event != null;
  }

  private void beat() {
    DisniBatch batch = heartbeat.batch();
    if (batch.state == DisniBatch.IN_FLIGHT) {
      takeCompletions(batch);
      if (batch.state == DisniBatch.IN_FLIGHT && heartbeat.isOverdue()) {
        stop(batch, Reason.TIMED_OUT, "the peer does not answer a heartbeat");
      }
    } else if (heartbeat.isDue() && postLock.tryLock()) {
      try {
        if (!closing.get() && inFlight.hasRoom(batch.size())) {
          heartbeat.next();
          sendQueue.post(batch, inFlight.add(batch));
        }
      } catch (IOException e) {
        stop(batch, Reason.DISCONNECTED, "the device took no heartbeat: " + e.getMessage());
      } finally {
        postLock.unlock();
      }
    }
  }

  /** Unless somebody who waits does it. */
  private void takeCompletions(DisniBatch mine) {
    if (led.compareAndSet(false, true)) {
      try {
        while (handle(completions.poll()) > 0) {
          LOG.trace("Completions from {}", peer);
        }
      } catch (IOException e) {
        stop(mine, Reason.DISCONNECTED, "the completion queue failed: " + e.getMessage());
      } finally {
        led.set(false);
        inFlight.wakeOldest();
      }
    }
  }

  /** Whether the keeper has seen this batch being posted for longer than its deadline. */
  private boolean isOverdue(long sequence) {
    long now = System.nanoTime();
    if (seenSequence != sequence) {
      seenSequence = sequence;
      seenSince = now;
    }
    return now - seenSince > postingNanos;
  }

  private boolean peerHasLeft() {
    try {
      RdmaCmEvent event = events.getCmEvent(0);
      if (event == null) {
        return false;
      }
      EventType type = CmEvents.typeOf(event);
      event.ackEvent();
      return type != EventType.RDMA_CM_EVENT_ESTABLISHED;
    } catch (IOException e) {
      LOG.debug("Events of the connection to {}", peer, e);
      return true;
    }
  }

  @Override
  public void close() {
    users.incrementAndGet();
    try {
      stop(null, Reason.DISCONNECTED, "closed");
    } finally {
      leave();
    }
  }

  private void leave() {
    if (users.decrementAndGet() == 0
        && stopped.getCount() == 0
        && released.compareAndSet(false, true)) {
      release();
    }
  }

  private void release() {
    sendQueue.free();
    completions.close();
    heartbeat.release();
    try {
      id.destroyId();
    } catch (IOException e) {
      LOG.warn("The identifier of {} could not be destroyed", peer, e);
    }
    closeChannel(events);
    fabric.forget(this);
  }

  static void closeChannel(RdmaEventChannel channel) {
    try {
      channel.destroyEventChannel();
    } catch (IOException e) {
      LOG.warn("An event channel could not be destroyed", e);
    }
  }
}
