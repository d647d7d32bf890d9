package io.regionfs.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaConnParam;
import com.ibm.disni.verbs.RdmaEventChannel;
import io.regionfs.verbs.VerbsPeer.Shape;
import java.io.IOException;
import java.net.InetSocketAddress;

/** Two connected ends in one process, and the listener that joined them. */
public final class VerbsPair implements AutoCloseable {
  public final RdmaEventChannel clientEvents;
  public final RdmaEventChannel serverEvents;
  public final RdmaCmId listener;
  public final VerbsPeer client;
  public final VerbsPeer server;

  /**
   * Connects.
   *
   * @param provider opens the event channels
   * @param rnrRetries what each end allows its peer
   */
  public VerbsPair(RdmaCm provider, InetSocketAddress address, Shape shape, int rnrRetries)
      throws IOException {
    clientEvents = provider.createEventChannel();
    serverEvents = provider.createEventChannel();
    listener = serverEvents.createId(RdmaCm.RDMA_PS_TCP);
    listener.bindAddr(address);
    listener.listen(8);
    client = new VerbsPeer(resolve(clientEvents, listener), shape);
    client.id.connect(parameters(rnrRetries));
    RdmaCmId child = event(serverEvents, EventType.RDMA_CM_EVENT_CONNECT_REQUEST).getConnIdPriv();
    server = new VerbsPeer(child, shape);
    child.accept(parameters(rnrRetries));
    // In this order: on InfiniBand and RoCE the client answers the server when it takes its event.
    event(clientEvents, EventType.RDMA_CM_EVENT_ESTABLISHED);
    event(serverEvents, EventType.RDMA_CM_EVENT_ESTABLISHED);
  }

  public static RdmaConnParam parameters(int rnrRetries) throws IOException {
    RdmaConnParam parameters = new RdmaConnParam();
    parameters.setRetry_count((byte) 7);
    parameters.setRnr_retry_count((byte) rnrRetries);
    return parameters;
  }

  /** An identifier whose address and route are resolved to where the listener is. */
  public static RdmaCmId resolve(RdmaEventChannel events, RdmaCmId listener) throws IOException {
    return resolve(events, (InetSocketAddress) listener.getSource());
  }

  public static RdmaCmId resolve(RdmaEventChannel events, InetSocketAddress peer)
      throws IOException {
    RdmaCmId id = events.createId(RdmaCm.RDMA_PS_TCP);
    id.resolveAddr(null, peer, 2000);
    event(events, EventType.RDMA_CM_EVENT_ADDR_RESOLVED);
    id.resolveRoute(2000);
    event(events, EventType.RDMA_CM_EVENT_ROUTE_RESOLVED);
    return id;
  }

  /** Waits for the next event, which must be of this type, and acknowledges it. */
  @SuppressWarnings("EnumOrdinal") // how DiSNI numbers events
  public static RdmaCmEvent event(RdmaEventChannel events, EventType type) throws IOException {
    RdmaCmEvent event = next(events);
    assertThat(EventType.values()[event.getEvent()]).isEqualTo(type);
    event.ackEvent();
    return event;
  }

  /** Waits for the next event; the caller acknowledges it. */
  public static RdmaCmEvent next(RdmaEventChannel events) throws IOException {
    RdmaCmEvent event = events.getCmEvent(VerbsPeer.DEADLINE_MILLIS);
    assertThat(event).as("an event in time").isNotNull();
    return event;
  }

  @Override
  public void close() throws IOException {
    client.close();
    server.close();
    if (listener.isOpen()) {
      listener.destroyId();
    }
    clientEvents.destroyEventChannel();
    serverEvents.destroyEventChannel();
  }
}
