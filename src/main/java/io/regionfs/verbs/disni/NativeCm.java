package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaConnParam;
import com.ibm.disni.verbs.RdmaEventChannel;
import com.ibm.disni.verbs.impl.NatCmaIdPrivate;
import com.ibm.disni.verbs.impl.NativeDispatcher;
import com.ibm.disni.verbs.impl.RdmaCmNat;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** DiSNI's native connection manager on channels that forget what is destroyed. */
final class NativeCm extends RdmaCmNat {
  /**
   * Most that one attempt at finding the way to an address may take: Linux 6.12 was seen to look
   * for the neighbour's answer, which comes within a millisecond, only when this time is over.
   */
  private static final int RESOLUTION_MILLIS = 500;

  private final NativeDispatcher library;

  NativeCm(NativeDispatcher library) {
    super(library);
    this.library = library;
  }

  @Override
  public RdmaEventChannel createEventChannel() throws IOException {
    long handle = library._createEventChannel();
    if (handle < 0) {
      throw new IOException("no event channel for connections: no RDMA device");
    }
    return new NativeEventChannel(handle);
  }

  /** The next event, or null after the timeout. */
  @Override
  @SuppressWarnings("EnumOrdinal") // how DiSNI numbers events
  public @Nullable RdmaCmEvent getCmEvent(RdmaEventChannel channel, int timeoutMillis)
      throws IOException {
    NativeEventChannel from = (NativeEventChannel) channel;
    synchronized (from) { // one reader at a time: they share the place for the answer
      if (!from.isOpen()) {
        throw new IOException("event channel is destroyed");
      }
      long answer = from.answerAddress();
      int type = library._getCmEvent(from.getObjId(), answer, answer + Long.BYTES, timeoutMillis);
      if (type < 0) {
        return null;
      }
      NatCmaIdPrivate listener = from.getCmId(from.listenerHandle());
      NatCmaIdPrivate id = from.getCmId(from.identifierHandle());
      if (type == EventType.RDMA_CM_EVENT_CONNECT_REQUEST.ordinal()) {
        id = new NatCmaIdPrivate(from.identifierHandle(), channel, library);
        from.addCmId(id);
      }
      return new RdmaCmEvent(type, listener, id);
    }
  }

  /** DiSNI's own forgets the source, whose device serves the connection. */
  @Override
  public void resolveAddr(
      RdmaCmId id, @Nullable SocketAddress source, SocketAddress destination, int timeoutMillis)
      throws IOException {
    if (source != null) {
      bindAddr(id, source);
    }
    super.resolveAddr(id, source, destination, Math.min(timeoutMillis, RESOLUTION_MILLIS));
  }

  /** DiSNI's own forgets the private data. */
  @Override
  public void accept(RdmaCmId id, RdmaConnParam parameters) throws IOException {
    byte[] data = new byte[parameters.getPrivate_data_len() & 0xff];
    if (data.length > 0) {
      Memory.get(parameters.getPrivate_data(), data, 0, data.length);
      NativeVerbs.setPrivateData(((NatCmaIdPrivate) id).getObjId(), data);
    }
    super.accept(id, parameters);
  }

  @Override
  public int destroyCmId(RdmaCmId id) throws IOException {
    int result = super.destroyCmId(id);
    ((NativeEventChannel) id.getCmChannel()).forget((NatCmaIdPrivate) id);
    return result;
  }
}
