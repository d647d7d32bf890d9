package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import io.regionfs.posix.Threads;
import io.regionfs.verbs.FabricListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts whoever comes and gives each a queue pair in the fabric's protection domain; nothing is
 * ever posted on it. One thread handles all events of the listener and its connections, and alone
 * touches them; one completion queue, always empty, serves all queue pairs.
 *
 * <p>A connection is dropped when its peer disconnects, when a later connection of the same fabric
 * says that it has ended, when its pulse stands still, and when its queue pair has failed. Its
 * queue pair is destroyed then: of what its peer had sent, nothing reaches this host's memory any
 * more.
 */
final class DisniListener implements FabricListener {
  private static final Logger LOG = LoggerFactory.getLogger(DisniListener.class);
  private static final int BACKLOG = 128;

  private final DisniFabric fabric;
  private final RdmaEventChannel events;
  private final RdmaCmId id;
  private final CompletionQueue completions;
  private final InetSocketAddress address;
  private final PulseTable pulses;
  private final Map<RdmaCmId, Accepted> accepted = new ConcurrentHashMap<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread thread;

  private DisniListener(
      DisniFabric fabric,
      RdmaEventChannel events,
      RdmaCmId id,
      CompletionQueue completions,
      PulseTable pulses,
      InetSocketAddress address) {
    this.fabric = fabric;
    this.events = events;
    this.id = id;
    this.completions = completions;
    this.pulses = pulses;
    this.address = address;
    this.thread = new Thread(this::serve, "fabric-listener-" + address.getPort());
    thread.setDaemon(true);
  }

  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // what fails half-way is closed by hand
  static DisniListener open(DisniFabric fabric, InetSocketAddress address) throws IOException {
    RdmaEventChannel events = RdmaEventChannel.createEventChannel();
    RdmaCmId id = null;
    PulseTable pulses = null;
    try {
      id = events.createId(RdmaCm.RDMA_PS_TCP);
      id.bindAddr(address);
      id.listen(BACKLOG);
      InetSocketAddress bound = (InetSocketAddress) id.getSource();
      pulses = fabric.pulseTable();
      CompletionQueue completions = CompletionQueue.open(fabric.context(), 16);
      DisniListener listener = new DisniListener(fabric, events, id, completions, pulses, bound);
      listener.thread.start();
      return listener;
    } catch (IOException e) {
      if (pulses != null) {
        pulses.close();
      }
      if (id != null) {
        id.destroyId();
      }
      DisniConnection.closeChannel(events);
      throw new IOException("cannot listen at " + address + ": " + e.getMessage(), e);
    }
  }

  @Override
  public InetSocketAddress address() {
    return address;
  }

  @Override
  public int connections() {
    return accepted.size();
  }

  @Override
  public int connectionsFromOthers() {
    return (int) accepted.values().stream().filter(one -> !one.isFrom(fabric.fences())).count();
  }

  /** Numbers of the accepted connections' queue pairs. */
  List<Integer> queuePairs() {
    return accepted.values().stream().map(Accepted::queuePair).toList();
  }

  /** Has the connection dropped that has this queue pair, if it is one of these. Any thread. */
  void queuePairFailed(int number) {
    for (Accepted one : accepted.values()) {
      if (one.queuePair() == number) {
        one.fail();
      }
    }
  }

  /** Has all connections dropped. Any thread. */
  void allFailed() {
    accepted.values().forEach(Accepted::fail);
  }

  private void serve() {
    try {
      while (!closed.get()) {
        RdmaCmEvent event = events.getCmEvent(CmEvents.SLICE_MILLIS);
        if (event != null) {
          EventType type = CmEvents.typeOf(event);
          RdmaCmId connection = event.getConnIdPriv();
          byte[] data = PrivateData.of(events, event);
          event.ackEvent();
          if (connection != null) {
            handle(type, connection, data);
          }
        }
        dropIf(Accepted::hasFailed, "its queue pair has failed");
        // A peer that lost its power, or its way here, says nothing.
        dropIf(Accepted::isLifeless, "its peer shows no sign of life");
      }
    } catch (IOException e) {
      if (!closed.get()) {
        LOG.error("The listener at {} has failed: nobody can connect any more", address, e);
      }
    } finally {
      accepted.keySet().forEach(this::drop);
      pulses.close();
      completions.close();
      destroy(id);
      DisniConnection.closeChannel(events);
    }
  }

  private void handle(EventType type, RdmaCmId connection, byte[] data) {
    switch (type) {
      case RDMA_CM_EVENT_CONNECT_REQUEST -> accept(connection, Introduction.decode(data));
      case RDMA_CM_EVENT_DISCONNECTED,
          RDMA_CM_EVENT_CONNECT_ERROR,
          RDMA_CM_EVENT_UNREACHABLE,
          RDMA_CM_EVENT_REJECTED,
          RDMA_CM_EVENT_ADDR_CHANGE,
          RDMA_CM_EVENT_TIMEWAIT_EXIT,
          RDMA_CM_EVENT_DEVICE_REMOVAL ->
          drop(connection);
      default -> LOG.debug("{} at {}", type, address);
    }
  }

  private void accept(RdmaCmId connection, @Nullable Introduction introduction) {
    if (introduction != null) {
      dropIf(before -> before.isEndedBy(introduction), "its peer has given it up");
    }
    long pulse = introduction == null ? 0 : pulses.take();
    boolean hasQueuePair = false;
    try {
      int number = fabric.createQueuePair(connection, completions, 1).getQp_num();
      hasQueuePair = true;
      accepted.put(
          connection, new Accepted(connection, introduction, number, pulse, fabric.pulse()));
      PrivateData.accept(connection, new Welcome(pulse, pulses.remoteKey()).encode());
    } catch (IOException e) {
      LOG.warn("A connection at {} could not be accepted: {}", address, e.getMessage());
      if (hasQueuePair) {
        drop(connection);
      } else {
        pulses.giveBack(pulse);
        destroy(connection); // which rejects it
      }
    }
  }

  private void dropIf(Predicate<Accepted> condition, String why) {
    for (Accepted one : accepted.values()) {
      if (condition.test(one)) {
        LOG.debug("A connection at {} is dropped: {}", address, why);
        drop(one.id);
      }
    }
  }

  private void drop(RdmaCmId connection) {
    Accepted dropped = accepted.get(connection);
    if (dropped == null) {
      return;
    }
    try {
      connection.disconnect();
    } catch (IOException e) {
      LOG.debug("Disconnecting an accepted connection", e);
    }
    try {
      connection.destroyQP();
    } catch (IOException e) {
      LOG.warn("The queue pair of an accepted connection could not be destroyed", e);
    }
    pulses.giveBack(dropped.pulse());
    destroy(connection);
    accepted.remove(connection);
  }

  private static void destroy(RdmaCmId identifier) {
    try {
      identifier.destroyId();
    } catch (IOException e) {
      LOG.warn("A connection's identifier could not be destroyed", e);
    }
  }

  @Override
  public void close() {
    closed.set(true);
    if (Thread.currentThread() != thread) {
      Threads.joinUninterruptibly(thread);
    }
    fabric.forget(this);
  }
}
