package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import com.ibm.disni.verbs.impl.NatObject;
import io.regionfs.verbs.TransferException;
import io.regionfs.verbs.TransferException.Reason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One attempt to connect; what is not handed on to the connection is freed when it closes. */
final class Connecting implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Connecting.class);

  private final DisniFabric fabric;
  private @Nullable RdmaEventChannel events;
  private @Nullable RdmaCmId id;
  private @Nullable CompletionQueue completions;

  private Connecting(DisniFabric fabric) {
    this.fabric = fabric;
  }

  /** The fabric must know the connection afterwards. */
  static DisniConnection to(DisniFabric fabric, InetSocketAddress peer, Duration deadline)
      throws TransferException, InterruptedException {
    try (Connecting attempt = new Connecting(fabric)) {
      return attempt.connect(peer, System.nanoTime() + deadline.toNanos());
    } catch (IOException e) {
      throw new TransferException(
          Reason.DISCONNECTED, "cannot connect to " + peer + ": " + e.getMessage(), e);
    }
  }

  private DisniConnection connect(InetSocketAddress peer, long until)
      throws IOException, TransferException, InterruptedException {
    fabric.requireOpen();
    RdmaEventChannel channel = RdmaEventChannel.createEventChannel();
    events = channel;
    RdmaCmId made = channel.createId(RdmaCm.RDMA_PS_TCP);
    id = made;
    if (made instanceof NatObject) {
      // Else the kernel chooses the device by the route, and it may not be the one with our memory.
      made.bindAddr(new InetSocketAddress(fabric.address(), 0));
    }
    made.resolveAddr(null, peer, millisLeft(until));
    CmEvents.expect(channel, EventType.RDMA_CM_EVENT_ADDR_RESOLVED, until);
    made.resolveRoute(millisLeft(until));
    CmEvents.expect(channel, EventType.RDMA_CM_EVENT_ROUTE_RESOLVED, until);
    int depth = QueuePairs.depth(fabric.limits());
    CompletionQueue queue = CompletionQueue.open(fabric.context(), 2 * depth);
    completions = queue;
    IbvQP pair = fabric.createQueuePair(made, queue, depth);
    Introduction introduction = fabric.fences().introduce(peer);
    PrivateData.connect(made, introduction.encode());
    byte[] answer = CmEvents.expect(channel, EventType.RDMA_CM_EVENT_ESTABLISHED, until);
    fabric.fences().told(peer, introduction);
    Heartbeat heartbeat = Heartbeat.of(fabric.heartbeats(), Welcome.decode(answer), fabric.pulse());
    DisniConnection connection =
        new DisniConnection(
            fabric, peer, introduction, heartbeat, channel, made, pair, queue, depth);
    events = null;
    id = null;
    completions = null;
    return connection;
  }

  private static int millisLeft(long until) {
    return (int) Math.max(1, Math.min(CmEvents.millisUntil(until), Integer.MAX_VALUE));
  }

  /** The queue pair before its queue and its identifier, the identifier before its channel. */
  @Override
  public void close() {
    RdmaCmId abandoned = id;
    if (abandoned != null) {
      try {
        IbvQP pair = abandoned.getQp();
        if (pair != null && pair.isOpen()) {
          abandoned.destroyQP();
        }
      } catch (IOException e) {
        LOG.warn("The queue pair of an unfinished connection could not be destroyed", e);
      }
    }
    CompletionQueue queue = completions;
    if (queue != null) {
      queue.close();
    }
    if (abandoned != null) {
      try {
        abandoned.destroyId();
      } catch (IOException e) {
        LOG.warn("The identifier of an unfinished connection could not be destroyed", e);
      }
    }
    RdmaEventChannel channel = events;
    if (channel != null) {
      DisniConnection.closeChannel(channel);
    }
  }
}
