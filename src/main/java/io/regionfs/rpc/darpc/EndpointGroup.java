package io.regionfs.rpc.darpc;

import com.ibm.darpc.DaRPCEndpointGroup;
import com.ibm.disni.RdmaCqProvider;
import com.ibm.disni.RdmaEndpointFactory;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaConnParam;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import org.jspecify.annotations.Nullable;

/**
 * DaRPC's group of endpoints without DaRPC's queues: each endpoint brings its own. Owns the thread
 * that takes in connection events.
 */
final class EndpointGroup<E extends RpcEndpoint>
    extends DaRPCEndpointGroup<E, ProtobufMessage, ProtobufMessage> {
  /** How long the event thread waits at a time, and so how long a close may take. */
  private static final int EVENT_POLL_MILLIS = 100;

  private static final byte RETRY_FOREVER = 7;

  private EndpointGroup(int depth) throws Exception {
    super(new ProtobufMessage.Protocol(), EVENT_POLL_MILLIS, 0, depth, depth);
    clientEndpointMap = new SharedMap<>();
    serverEndpointMap = new SharedMap<>();
    RdmaConnParam parameters = getConnParam();
    parameters.setRetry_count(RETRY_FOREVER);
    parameters.setRnr_retry_count(RETRY_FOREVER);
  }

  /** How an endpoint is made: both kinds are DaRPC endpoints of this group. */
  interface Maker<E extends RpcEndpoint> {
    E make(EndpointGroup<E> group, RdmaCmId id) throws IOException;
  }

  static <E extends RpcEndpoint> EndpointGroup<E> open(int depth, Maker<E> maker)
      throws IOException {
    EndpointGroup<E> group;
    try {
      group = new EndpointGroup<>(depth);
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception | LinkageError e) {
      throw new IOException("DiSNI has no device and no library to look for one", e);
    }
    RdmaEndpointFactory<E> factory = (id, serverSide) -> maker.make(group, id);
    group.init(factory);
    return group;
  }

  /** The passive side of a connection request. */
  E passiveEndpoint(RdmaCmId id) throws IOException {
    return createEndpoint(id);
  }

  /** Has the events of this listening id go to another endpoint than DiSNI's own. */
  void listenWith(Listener<E> listener) {
    serverEndpointMap.put(listener.getIdPriv(), listener);
  }

  @Override
  public RdmaCqProvider createCqProvider(E endpoint) throws IOException {
    return endpoint.openQueue();
  }

  @Override
  public IbvQP createQpProvider(E endpoint) throws IOException {
    return createQP(endpoint.getIdPriv(), endpoint.getPd(), endpoint.getCqProvider().getCQ());
  }

  @Override
  public void allocateResources(E endpoint) throws IOException {
    endpoint.allocateResources();
  }

  /** DiSNI reads its maps in the event thread while others change them, without a lock. */
  private static final class SharedMap<K, V> extends HashMap<K, V> {
    @Override
    public synchronized @Nullable V get(@Nullable Object key) {
      return super.get(key);
    }

    @Override
    public synchronized boolean containsKey(@Nullable Object key) {
      return super.containsKey(key);
    }

    @Override
    public synchronized @Nullable V put(K key, V value) {
      return super.put(key, value);
    }

    @Override
    public synchronized @Nullable V remove(@Nullable Object key) {
      return super.remove(key);
    }

    @Override
    public synchronized Collection<V> values() {
      return new ArrayList<>(super.values());
    }
  }
}
