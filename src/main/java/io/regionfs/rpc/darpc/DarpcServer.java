package io.regionfs.rpc.darpc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.ibm.disni.verbs.RdmaCmId;
import io.regionfs.rpc.GuardedHandler;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens, accepts and keeps its clients' connections. Connections are accepted and released in
 * threads of the transport, so that no client can hold up another.
 */
final class DarpcServer implements RpcServer {
  private static final Logger LOG = LoggerFactory.getLogger(DarpcServer.class);
  private static final int BACKLOG = 128;

  private final DarpcTransport transport;
  private final DarpcOptions options;
  private final RpcHandler handler;
  private final EndpointGroup<ServerConnection> group;
  private final Listener<ServerConnection> listener;
  private final InetSocketAddress address;
  private final Set<ServerConnection> connections = ConcurrentHashMap.newKeySet();
  private final Object lock = new Object();

  @GuardedBy("lock")
  private final Map<ServerLane, Integer> lanes = new HashMap<>();

  @GuardedBy("lock")
  private final Map<ServerConnection, ServerLane> seats = new HashMap<>();

  private volatile boolean closing;
  private boolean closed; // guarded by this

  DarpcServer(DarpcTransport transport, InetSocketAddress listen, RpcHandler handler)
      throws IOException {
    this.transport = transport;
    options = transport.options();
    this.handler = new GuardedHandler(handler);
    group = EndpointGroup.open(options.depth(), this::newConnection);
    try {
      listener = listen(listen);
      address = (InetSocketAddress) listener.getSrcAddr();
    } catch (Exception e) {
      closeGroup();
      throw e instanceof IOException io ? io : new IOException("cannot listen at " + listen, e);
    }
  }

  private ServerConnection newConnection(EndpointGroup<ServerConnection> owner, RdmaCmId id)
      throws IOException {
    return new ServerConnection(owner, id, handler, this::releaseLater);
  }

  private Listener<ServerConnection> listen(InetSocketAddress where) throws Exception {
    RdmaCmId id = group.createServerEndpoint().getIdPriv();
    Listener<ServerConnection> made = new Listener<>(group, id, this::requested);
    group.listenWith(made);
    made.bind(where, BACKLOG);
    return made;
  }

  @Override
  public InetSocketAddress address() {
    return address;
  }

  /** In the event thread: only hands on. */
  private void requested(ServerConnection connection) {
    connections.add(connection);
    if (closing) {
      connection.lose("the server is closing");
    } else if (connections.size() > options.maxConnections()) {
      LOG.warn("refused a client: there are {} already", options.maxConnections());
      connection.lose("too many clients");
    } else {
      transport.execute(() -> accept(connection));
    }
  }

  private void accept(ServerConnection connection) {
    try {
      connection.accept(seat(connection));
    } catch (IOException | InterruptedException | RuntimeException e) {
      connection.lose("could not be accepted: " + e.getMessage());
    } catch (OutOfMemoryError e) {
      LOG.warn("no memory for the buffers of one more client: {}", e.getMessage());
      connection.lose("no memory for its buffers");
    }
  }

  private ServerLane seat(ServerConnection connection) throws IOException {
    synchronized (lock) {
      ServerLane chosen = null;
      for (Map.Entry<ServerLane, Integer> lane : lanes.entrySet()) {
        if (lane.getValue() < options.sharing() && !lane.getKey().failed()) {
          chosen = lane.getKey();
        }
      }
      if (chosen == null) {
        String name = "rpc-lane-" + lanes.size();
        chosen = new ServerLane(connection.getIdPriv().getVerbs(), options, name);
      }
      lanes.merge(chosen, 1, Integer::sum);
      seats.put(connection, chosen);
      return chosen;
    }
  }

  private void releaseLater(ServerConnection connection) {
    LOG.debug("a client of {} is gone: {}", address, connection.lossReason());
    transport.execute(() -> release(connection));
  }

  private void release(ServerConnection connection) {
    try {
      connection.release();
    } catch (IOException | InterruptedException | RuntimeException e) {
      LOG.warn("could not free a client's connection", e);
    } finally {
      synchronized (lock) {
        ServerLane lane = seats.remove(connection);
        if (lane != null) {
          lanes.merge(lane, -1, Integer::sum);
        }
        connections.remove(connection);
        lock.notifyAll();
      }
    }
  }

  int connectionCount() {
    return connections.size();
  }

  void tick(int silentTicksAllowed) {
    connections.forEach(connection -> connection.tick(silentTicksAllowed));
  }

  /** Ends the connections without waiting for their release. */
  void loseConnections() {
    closing = true;
    connections.forEach(connection -> connection.lose("the server was closed"));
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    loseConnections();
    try {
      listener.close();
    } catch (IOException | InterruptedException e) {
      LOG.warn("could not close the listener at {}", address, e);
    }
    loseConnections(); // those that came in meanwhile
    awaitReleases();
    List<ServerLane> idle;
    synchronized (lock) {
      idle = new ArrayList<>(lanes.keySet());
      lanes.clear();
    }
    idle.forEach(ServerLane::close);
    closeGroup();
    transport.forget(this);
  }

  private void awaitReleases() {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    synchronized (lock) {
      while (!connections.isEmpty()) {
        try {
          long left = end - System.nanoTime();
          if (left <= 0) {
            LOG.warn("{} connections of {} are still not released", connections.size(), address);
            return;
          }
          TimeUnit.NANOSECONDS.timedWait(lock, left);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }
  }

  private void closeGroup() {
    try {
      group.close();
    } catch (IOException | InterruptedException e) {
      LOG.warn("could not close an endpoint group", e);
    }
  }
}
