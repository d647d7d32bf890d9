package io.regionfs.rpc.darpc;

import com.ibm.disni.RdmaServerEndpoint;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmId;
import java.io.IOException;
import java.util.function.Consumer;

/**
 * A listening endpoint that hands each connection request on at once. DiSNI's own accept serves one
 * client at a time, so one that stops half-way would keep out all others.
 */
final class Listener<E extends RpcEndpoint> extends RdmaServerEndpoint<E> {
  private final EndpointGroup<E> group;
  private final Consumer<E> requests;

  Listener(EndpointGroup<E> group, RdmaCmId id, Consumer<E> requests) {
    super(group, id);
    this.group = group;
    this.requests = requests;
  }

  /** Without the monitor, for the reason given at {@link RpcEndpoint#dispatchCmEvent}. */
  @Override
  @SuppressWarnings({"EnumOrdinal", "UnsynchronizedOverridesSynchronized"})
  public void dispatchCmEvent(RdmaCmEvent event) throws IOException {
    if (event.getEvent() == RdmaCmEvent.EventType.RDMA_CM_EVENT_CONNECT_REQUEST.ordinal()) {
      requests.accept(group.passiveEndpoint(event.getConnIdPriv()));
    } // nothing else happens to a listener that its owner does not do itself
  }
}
