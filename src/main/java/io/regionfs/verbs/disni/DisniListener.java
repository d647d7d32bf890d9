package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import io.regionfs.verbs.FabricListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts whoever comes and gives each a queue pair in the fabric's protection domain; nothing is
 * ever posted on it. One thread handles all events of the listener and its connections, and alone
 * touches them; one completion queue, always empty, serves all queue pairs.
 */
final class DisniListener implements FabricListener {
  private static final Logger LOG = LoggerFactory.getLogger(DisniListener.class);
  private static final int BACKLOG = 128;

  private final DisniFabric fabric;
  private final RdmaEventChannel events;
  private final RdmaCmId id;
  private final CompletionQueue completions;
  private final InetSocketAddress address;
  private final Set<RdmaCmId> accepted = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread thread;

  private DisniListener(
      DisniFabric fabric,
      RdmaEventChannel events,
      RdmaCmId id,
      CompletionQueue completions,
      InetSocketAddress address) {
    this.fabric = fabric;
    this.events = events;
    this.id = id;
    this.completions = completions;
    this.address = address;
    this.thread = new Thread(this::serve, "fabric-listener-" + address.getPort());
    thread.setDaemon(true);
  }

  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // what fails half-way is closed by hand
  static DisniListener open(DisniFabric fabric, InetSocketAddress address) throws IOException {
    RdmaEventChannel events = RdmaEventChannel.createEventChannel();
    RdmaCmId id = null;
    try {
      id = events.createId(RdmaCm.RDMA_PS_TCP);
      id.bindAddr(address);
      id.listen(BACKLOG);
      InetSocketAddress bound = (InetSocketAddress) id.getSource();
      CompletionQueue completions = CompletionQueue.open(fabric.context(), 16);
      DisniListener listener = new DisniListener(fabric, events, id, completions, bound);
      listener.thread.start();
      return listener;
    } catch (IOException e) {
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

  private void serve() {
    try {
      while (!closed.get()) {
        RdmaCmEvent event = events.getCmEvent(CmEvents.SLICE_MILLIS);
        if (event == null) {
          continue;
        }
        EventType type = CmEvents.typeOf(event);
        RdmaCmId connection = event.getConnIdPriv();
        event.ackEvent();
        if (connection != null) {
          handle(type, connection);
        }
      }
    } catch (IOException e) {
      if (!closed.get()) {
        LOG.error("The listener at {} has failed: nobody can connect any more", address, e);
      }
    } finally {
      accepted.forEach(this::drop);
      completions.close();
      destroy(id);
      DisniConnection.closeChannel(events);
    }
  }

  private void handle(EventType type, RdmaCmId connection) {
    switch (type) {
      case RDMA_CM_EVENT_CONNECT_REQUEST -> accept(connection);
      case RDMA_CM_EVENT_DISCONNECTED,
          RDMA_CM_EVENT_CONNECT_ERROR,
          RDMA_CM_EVENT_UNREACHABLE,
          RDMA_CM_EVENT_REJECTED,
          RDMA_CM_EVENT_DEVICE_REMOVAL ->
          drop(connection);
      default -> LOG.debug("{} at {}", type, address);
    }
  }

  private void accept(RdmaCmId connection) {
    try {
      fabric.createQueuePair(connection, completions, 1);
      accepted.add(connection);
      connection.accept(CmEvents.parameters());
    } catch (IOException e) {
      LOG.warn("A connection at {} could not be accepted: {}", address, e.getMessage());
      if (!accepted.contains(connection)) {
        destroy(connection);
      }
      drop(connection);
    }
  }

  private void drop(RdmaCmId connection) {
    if (!accepted.remove(connection)) {
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
    destroy(connection);
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
      DisniFabric.joinUninterruptibly(thread);
    }
    fabric.forget(this);
  }
}
