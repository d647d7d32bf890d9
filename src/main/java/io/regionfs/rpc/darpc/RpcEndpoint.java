package io.regionfs.rpc.darpc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.ibm.darpc.DaRPCEndpoint;
import com.ibm.darpc.DaRPCMessage;
import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import java.io.IOException;
import java.net.ConnectException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One side of a connection: DaRPC's buffers and message format, with connection events that can be
 * waited for with a deadline, and one way to end. Once lost, nothing more is posted.
 */
abstract class RpcEndpoint extends DaRPCEndpoint<ProtobufMessage, ProtobufMessage> {
  private static final Logger LOG = LoggerFactory.getLogger(RpcEndpoint.class);

  /** How far a connection has come, in order. */
  enum Stage {
    NEW,
    ADDRESS_RESOLVED,
    ROUTE_RESOLVED,
    CONNECTED,
    ENDED
  }

  /** How long the peer may take to agree to a disconnect. */
  private static final long DISCONNECT_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Held while a message is posted; posting and losing a connection exclude each other. */
  protected final Object posting = new Object();

  private final Object stageLock = new Object();

  @GuardedBy("stageLock")
  private Stage stage = Stage.NEW;

  private volatile @Nullable String lossReason;
  private volatile boolean heard = true;
  private int silentTicks;
  private int receivedBytes;
  private volatile boolean complete;

  @GuardedBy("this")
  private boolean closed;

  protected RpcEndpoint(EndpointGroup<? extends RpcEndpoint> group, RdmaCmId id, boolean serverSide)
      throws IOException {
    super(group, id, serverSide);
    access = IbvMr.IBV_ACCESS_LOCAL_WRITE; // two-sided only: peers get no key to this memory
  }

  /** The queue for this endpoint's completions. */
  abstract CompletionQueue openQueue() throws IOException;

  /** Ends what depends on the connection. Called once, by any thread, without locks. */
  abstract void lost(String reason);

  final boolean isLost() {
    return lossReason != null;
  }

  final @Nullable String lossReason() {
    return lossReason;
  }

  /** Declares the connection dead, whoever noticed; only the first time counts. */
  final void lose(String reason) {
    loseIf(() -> true, reason);
  }

  /** As {@link #lose}, if this still holds when nothing can be posted any more. */
  protected final void loseIf(BooleanSupplier condition, String reason) {
    synchronized (posting) {
      if (lossReason != null || !condition.getAsBoolean()) {
        return;
      }
      lossReason = reason;
    }
    synchronized (stageLock) {
      stageLock.notifyAll();
    }
    lost(reason);
  }

  /**
   * Posts a message; false if every send buffer is still in flight.
   *
   * @throws IOException if it could not be posted: the peer cannot have seen it
   */
  @GuardedBy("posting")
  protected final boolean post(DaRPCMessage message, int ticket) throws IOException {
    return sendMessage(message, ticket);
  }

  /**
   * In the event thread, which must never wait for the monitor: who closes holds it while the
   * device waits for this thread to acknowledge the event. So DiSNI's own state is left out of it.
   */
  @Override
  @SuppressWarnings({"EnumOrdinal", "UnsynchronizedOverridesSynchronized"})
  public void dispatchCmEvent(RdmaCmEvent event) {
    EventType type = EventType.values()[event.getEvent()];
    switch (type) {
      case RDMA_CM_EVENT_ADDR_RESOLVED -> advance(Stage.ADDRESS_RESOLVED);
      case RDMA_CM_EVENT_ROUTE_RESOLVED -> advance(Stage.ROUTE_RESOLVED);
      case RDMA_CM_EVENT_ESTABLISHED -> advance(Stage.CONNECTED);
      case RDMA_CM_EVENT_ADDR_ERROR,
          RDMA_CM_EVENT_ROUTE_ERROR,
          RDMA_CM_EVENT_CONNECT_ERROR,
          RDMA_CM_EVENT_UNREACHABLE,
          RDMA_CM_EVENT_REJECTED,
          RDMA_CM_EVENT_DISCONNECTED,
          RDMA_CM_EVENT_DEVICE_REMOVAL,
          RDMA_CM_EVENT_ADDR_CHANGE,
          RDMA_CM_EVENT_TIMEWAIT_EXIT -> {
        lose("disconnected: " + type.name().substring("RDMA_CM_EVENT_".length()));
        advance(Stage.ENDED);
      }
      default -> {}
    }
  }

  private void advance(Stage to) {
    synchronized (stageLock) {
      if (to.compareTo(stage) > 0) {
        stage = to;
        stageLock.notifyAll();
      }
    }
  }

  /** Waits until the connection has come so far. */
  protected final void awaitStage(Stage wanted, long endNanos)
      throws IOException, InterruptedException {
    synchronized (stageLock) {
      while (stage.compareTo(wanted) < 0 && lossReason == null) {
        long left = endNanos - System.nanoTime();
        if (left <= 0) {
          throw new ConnectException("no answer");
        }
        TimeUnit.NANOSECONDS.timedWait(stageLock, left);
      }
      if (lossReason != null) {
        throw new ConnectException(String.valueOf(lossReason));
      }
    }
  }

  /** A completion of this endpoint's queue pair; the errors were sorted out before. */
  protected final void completed(IbvWC completion) {
    receivedBytes = completion.getByte_len();
    try {
      dispatchCqEvent(completion);
    } catch (IOException | RuntimeException e) {
      lose("broken or malformed: " + e.getMessage());
    }
  }

  /** Of the message that is being dispatched. */
  protected final int receivedBytes() {
    return receivedBytes;
  }

  protected final void heard() {
    heard = true;
  }

  /** Counts the time since the peer was last heard, in calls of this method; 0 if it just was. */
  protected final int silentTicks() {
    if (heard) {
      heard = false;
      silentTicks = 0;
    } else {
      silentTicks++;
    }
    return silentTicks;
  }

  @Override
  public synchronized void init() throws IOException {
    super.init();
    complete = true;
  }

  /** Nothing was registered if the connection ended before it had buffers. */
  @Override
  public void deregisterMemory(@Nullable IbvMr memory) throws IOException {
    if (memory != null) {
      super.deregisterMemory(memory);
    }
  }

  /** Disconnects and frees everything but the queue. Blocks for up to some seconds. */
  @Override
  public synchronized void close() throws IOException, InterruptedException {
    if (!closed) {
      closed = true;
      hangUp();
      IbvQP queuePair = getIdPriv().getQp();
      if (!complete && queuePair != null && queuePair.isOpen()) {
        getIdPriv().destroyQP(); // DiSNI does not know of it: its buffers could not be set up
      }
      super.close();
      EndpointMemory.free(this);
    }
  }

  /** Ends the connection if there is one. Blocks for up to a second. */
  protected final void hangUp() throws InterruptedException {
    synchronized (stageLock) {
      if (stage != Stage.CONNECTED) {
        return;
      }
    }
    try {
      getIdPriv().disconnect();
    } catch (IOException e) {
      LOG.debug("the connection had ended before: {}", e.getMessage());
      return;
    }
    long end = System.nanoTime() + DISCONNECT_NANOS;
    synchronized (stageLock) {
      long left = DISCONNECT_NANOS;
      while (stage != Stage.ENDED && left > 0) {
        TimeUnit.NANOSECONDS.timedWait(stageLock, left);
        left = end - System.nanoTime();
      }
    }
  }
}
