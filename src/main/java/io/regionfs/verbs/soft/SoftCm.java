package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvPd;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvQPInitAttr;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaConnParam;
import com.ibm.disni.verbs.RdmaEventChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** DiSNI's connection manager: resolves, connects, accepts; results come as events. */
final class SoftCm extends RdmaCm {
  private final SoftDevice device;

  SoftCm(SoftDevice device) {
    this.device = device;
  }

  @Override
  public RdmaEventChannel createEventChannel() throws IOException {
    return new SoftEventChannel(device);
  }

  @Override
  public RdmaCmId createId(RdmaEventChannel channel, short portSpace) throws IOException {
    if (portSpace != RDMA_PS_TCP) {
      throw new IOException("soft verbs have reliable connections only: port space " + portSpace);
    }
    SoftEventChannel soft = (SoftEventChannel) channel;
    return new SoftConnectionId(soft, soft.device().context(), portSpace);
  }

  @Override
  public IbvQP createQP(RdmaCmId id, IbvPd domain, IbvQPInitAttr attributes) throws IOException {
    if (attributes.getQp_type() != IbvQP.IBV_QPT_RC) {
      throw new IOException("soft verbs have reliable connections only");
    }
    if (!id.isOpen() || !domain.isOpen()) {
      throw new IOException("identifier or protection domain is destroyed");
    }
    SoftConnectionId softId = (SoftConnectionId) id;
    SoftQueuePair pair = new SoftQueuePair(softId, (SoftProtectionDomain) domain, attributes);
    softId.attach(pair);
    return pair;
  }

  @Override
  public void bindAddr(RdmaCmId id, SocketAddress address) throws IOException {
    ((SoftConnectionId) id).bind(TcpSocket.ipv4(address));
  }

  @Override
  public void listen(RdmaCmId id, int backlog) throws IOException {
    ((SoftConnectionId) id).startListening(backlog);
  }

  @Override
  public void resolveAddr(
      RdmaCmId id, @Nullable SocketAddress source, SocketAddress destination, int timeout)
      throws IOException {
    SoftConnectionId softId = (SoftConnectionId) id;
    InetSocketAddress peer = TcpSocket.ipv4(destination);
    if (source != null) {
      softId.bind(TcpSocket.ipv4(source));
    }
    softId.resolved(peer);
    softId.event(EventType.RDMA_CM_EVENT_ADDR_RESOLVED, 0);
  }

  @Override
  public void resolveRoute(RdmaCmId id, int timeout) throws IOException {
    ((SoftConnectionId) id).event(EventType.RDMA_CM_EVENT_ROUTE_RESOLVED, 0);
  }

  @Override
  public @Nullable RdmaCmEvent getCmEvent(RdmaEventChannel channel, int timeout)
      throws IOException {
    return ((SoftEventChannel) channel).next(timeout);
  }

  @Override
  public void connect(RdmaCmId id, RdmaConnParam parameters) throws IOException {
    ((SoftConnectionId) id).startConnecting(parameters);
  }

  @Override
  public void accept(RdmaCmId id, RdmaConnParam parameters) throws IOException {
    ((SoftConnectionId) id).startAccepting(parameters);
  }

  @Override
  public int ackCmEvent(RdmaCmEvent event) {
    try {
      ((SoftCmEvent) event).acknowledge();
      return 0;
    } catch (IOException e) {
      return -1;
    }
  }

  @Override
  public int disconnect(RdmaCmId id) throws IOException {
    ((SoftConnectionId) id).endConnection();
    return 0;
  }

  @Override
  public int destroyEventChannel(RdmaEventChannel channel) throws IOException {
    channel.close();
    return 0;
  }

  @Override
  public int destroyCmId(RdmaCmId id) throws IOException {
    ((SoftConnectionId) id).destroy();
    return 0;
  }

  @Override
  public int destroyQP(RdmaCmId id) throws IOException {
    ((SoftConnectionId) id).destroyPair();
    return 0;
  }

  @Override
  public SocketAddress getSrcAddr(RdmaCmId id) throws IOException {
    return ((SoftConnectionId) id).local();
  }

  @Override
  public SocketAddress getDstAddr(RdmaCmId id) throws IOException {
    return ((SoftConnectionId) id).peer();
  }

  @Override
  public int destroyEp(RdmaCmId id) throws IOException {
    return destroyCmId(id);
  }
}
