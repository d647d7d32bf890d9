package io.regionfs.rpc.darpc;

import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.RdmaCmId;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcException.Outcome;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection, used once: after a loss the client makes another. The callers drive it
 * themselves: one of those that wait, the driver, takes in completions and hands out everybody's
 * replies; when it has its own it passes the driving on. So a lone caller's reply needs no other
 * thread. Between calls the watcher's ticks drive it.
 */
final class ClientConnection extends RpcEndpoint {
  private static final Request PING =
      Request.newBuilder().setPing(Ping.getDefaultInstance()).build();

  private static final long SLOT_RETRY_NANOS = TimeUnit.MICROSECONDS.toNanos(200);
  private static final int ALL_WAITERS = 1 << 20;

  private final DarpcOptions options;
  private final Consumer<ClientConnection> whenLost;
  private final Map<Integer, PendingCall> pending = new ConcurrentHashMap<>();
  private final LateReplies late = new LateReplies(pending, ServerConnection.MAX_UNANSWERED);

  /**
   * One less than the peer has receive buffers, to leave one for a ping: on iWARP a message that
   * finds none ends the connection.
   */
  private final Semaphore permits;

  /** Taken by who drives; at first by connecting, in the end by releasing. */
  private final AtomicBoolean driving = new AtomicBoolean(true);

  private int lastTicket; // guarded by posting
  private volatile boolean connected;
  private volatile boolean used;
  private int unusedTicks; // the watcher's

  ClientConnection(
      EndpointGroup<ClientConnection> group,
      RdmaCmId id,
      DarpcOptions options,
      Consumer<ClientConnection> whenLost)
      throws IOException {
    super(group, id, false);
    this.options = options;
    this.whenLost = whenLost;
    permits = new Semaphore(options.depth() - 1, true);
  }

  @Override
  CompletionQueue openQueue() throws IOException {
    return new CompletionQueue(getIdPriv().getVerbs(), options.completions());
  }

  private CompletionQueue queue() {
    return (CompletionQueue) getCqProvider();
  }

  /**
   * Connects; a connection that could not be made is lost.
   *
   * @param source null: chosen by the route to the peer
   */
  void connect(@Nullable InetSocketAddress source, InetSocketAddress peer)
      throws IOException, InterruptedException {
    try {
      int millis = (int) options.connectTimeout().toMillis();
      long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
      getIdPriv().resolveAddr(source, peer, millis);
      awaitStage(Stage.ADDRESS_RESOLVED, end);
      getIdPriv().resolveRoute(millis);
      awaitStage(Stage.ROUTE_RESOLVED, end);
      allocateResources();
      getIdPriv().connect(getConnParam());
      awaitStage(Stage.CONNECTED, end);
      connected = true;
    } catch (IOException | InterruptedException | RuntimeException | OutOfMemoryError e) {
      lose(String.valueOf(e.getMessage()));
      throw e;
    } finally {
      driving.set(false);
    }
  }

  /**
   * Posts the request once a place among the calls in flight is free; null if the connection was
   * lost before, so that the peer cannot have seen it.
   */
  @Nullable PendingCall send(Request request, Waiting waiting)
      throws RpcException, InterruptedException {
    while (!permits.tryAcquire(waiting.sliceNanos(), TimeUnit.NANOSECONDS)) {
      if (waiting.isOver()) {
        throw new RpcException(Outcome.NOT_SENT, "too many calls before this one");
      }
      driveIfNobodyDoes(0); // all places may be those of calls that were given up
    }
    PendingCall call = null;
    try {
      used = true;
      ProtobufMessage message = new ProtobufMessage(request);
      while (!isLost()) {
        call = tryPost(message, Thread.currentThread());
        if (call != null) {
          return call;
        }
        awaitSendBuffer(waiting);
      }
      return null;
    } finally {
      if (call == null) {
        permits.release();
      }
    }
  }

  private @Nullable PendingCall tryPost(ProtobufMessage message, @Nullable Thread caller) {
    IOException broken;
    synchronized (posting) {
      if (isLost()) {
        return null;
      }
      PendingCall call = new PendingCall(++lastTicket, caller);
      pending.put(call.ticket(), call); // before it is posted: the reply may come at once
      try {
        if (post(message, call.ticket())) {
          return call;
        }
        pending.remove(call.ticket());
        return null;
      } catch (IOException e) {
        pending.remove(call.ticket());
        broken = e;
      }
    }
    lose("could not post a request: " + broken.getMessage());
    return null;
  }

  /**
   * Only late replies to calls that were given up bring us here: permits keep the rest in bounds.
   */
  private void awaitSendBuffer(Waiting waiting) throws RpcException, InterruptedException {
    if (waiting.isOver()) {
      throw new RpcException(Outcome.NOT_SENT, "the peer takes in no requests");
    }
    if (Thread.interrupted()) {
      throw new InterruptedException("interrupted before the request was sent");
    }
    if (!driveIfNobodyDoes(1)) {
      LockSupport.parkNanos(this, SLOT_RETRY_NANOS);
    }
  }

  /** Waits for the reply to a request of the calling thread. */
  Reply await(PendingCall call, Waiting waiting) throws RpcException, InterruptedException {
    try {
      while (!call.isDone()) {
        if (Thread.interrupted()) {
          throw new InterruptedException("interrupted while waiting for a reply");
        }
        if (driving.compareAndSet(false, true)) {
          driveUntilDone(call, waiting);
        } else {
          LockSupport.parkNanos(this, waiting.sliceNanos());
        }
        if (!call.isDone() && waiting.isOver()) {
          break;
        }
      }
      return call.result();
    } finally {
      if (call.isDone() || late.giveUp(call)) {
        permits.release();
      }
      pending.remove(call.ticket(), call); // if its connection was lost
      passDrivingOn();
    }
  }

  private void driveUntilDone(PendingCall call, Waiting waiting) {
    try {
      while (!call.isDone() && !isLost() && !Thread.currentThread().isInterrupted()) {
        drive((int) TimeUnit.NANOSECONDS.toMillis(waiting.sliceNanos()) + 1);
        if (call.isDone() || waiting.isOver()) {
          return;
        }
      }
    } finally {
      driving.set(false);
    }
  }

  /** Takes in completions, waiting so long for the first; only for who holds {@link #driving}. */
  private void drive(int millis) {
    try {
      if (millis > 0) {
        queue().await(millis, this::dispatch);
      } else {
        queue().poll(this::dispatch);
      }
    } catch (IOException e) {
      lose("completion queue: " + e.getMessage());
    }
  }

  private boolean driveIfNobodyDoes(int millis) {
    boolean taken = driving.compareAndSet(false, true);
    if (taken) {
      drive(millis);
      driving.set(false);
      passDrivingOn();
    }
    return taken;
  }

  /** A caller that parked while another drove must not be left without a driver. */
  private void passDrivingOn() {
    if (!driving.get()) {
      for (PendingCall call : pending.values()) {
        if (!call.isPing() && !call.isDone()) {
          call.wake();
          return;
        }
      }
    }
  }

  private void dispatch(IbvWC completion) {
    if (CompletionQueue.succeeded(completion)) {
      completed(completion);
    } else {
      lose("disconnected: completion status " + completion.getStatus());
    }
  }

  @Override
  public void dispatchReceive(ByteBuffer buffer, int ticket, int index) throws IOException {
    heard();
    Reply reply = Reply.parseFrom(ProtobufMessage.received(buffer, receivedBytes()));
    postRecv(index); // before its caller can make way for another, whose reply needs a place too
    PendingCall call = pending.remove(ticket);
    if (call != null) {
      call.complete(reply);
    } else if (late.arrived(ticket)) { // its caller has given up
      permits.release();
    }
  }

  @Override
  public void dispatchSend(int ticket) throws IOException {
    freeSend(ticket);
  }

  /** Called by the watcher at even intervals: takes in late replies, sends and counts pings. */
  void tick(int silentTicksAllowed, int unusedTicksAllowed) {
    if (!connected || isLost()) {
      return;
    }
    driveIfNobodyDoes(0);
    int silent = silentTicks();
    if (silent > silentTicksAllowed) {
      lose("the peer is silent");
      return;
    }
    unusedTicks = used || !onlyPings() ? 0 : unusedTicks + 1;
    used = false;
    if (unusedTicks > unusedTicksAllowed) {
      loseIf(this::onlyPings, "idle");
    } else if (silent > 0 && pending.values().stream().noneMatch(PendingCall::isPing)) {
      tryPost(new ProtobufMessage(PING), null);
    }
  }

  private boolean onlyPings() {
    return pending.values().stream().allMatch(PendingCall::isPing);
  }

  @Override
  void lost(String reason) {
    // Nothing is posted any more: what is pending now was sent, and each call hears of the loss.
    pending.values().forEach(call -> call.fail(reason));
    permits.release(ALL_WAITERS);
    whenLost.accept(this);
  }

  /** Frees the connection's resources, once its driver has left. Blocks for up to some seconds. */
  void release() throws IOException, InterruptedException {
    lose("closed");
    while (!driving.compareAndSet(false, true)) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    try {
      close(); // it stays driven for ever: the queue is gone
    } finally {
      if (getCqProvider() != null) {
        getCqProvider().close();
      }
    }
  }
}
