package io.regionfs.rpc.darpc;

import com.google.errorprone.annotations.MustBeClosed;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.ibm.disni.verbs.RdmaCmId;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls over DaRPC's endpoints and message format, on whatever device DiSNI was given. Owns the
 * threads that make and free connections, and the watcher that keeps them honest: it pings, and
 * drops peers that fell silent.
 */
public final class DarpcTransport implements RpcTransport {
  private static final Logger LOG = LoggerFactory.getLogger(DarpcTransport.class);
  private static final int TICKS_OF_SILENCE = 6;

  private final DarpcOptions options;
  private final @Nullable InetAddress source;
  private final long tickMillis;
  private final Set<DarpcClient> clients = ConcurrentHashMap.newKeySet();
  private final Set<DarpcServer> servers = ConcurrentHashMap.newKeySet();
  private final Set<ClientConnection> connections = ConcurrentHashMap.newKeySet();
  private final ThreadPoolExecutor workers;
  private final ScheduledExecutorService watcher;
  private final Object lock = new Object();

  @GuardedBy("lock")
  private @Nullable EndpointGroup<ClientConnection> clientGroup;

  @GuardedBy("lock")
  private boolean closed;

  /** Clients connect from wherever the route to their peer begins. */
  public DarpcTransport(DarpcOptions options) {
    this(options, null);
  }

  /**
   * @param source this host's address that clients connect from, and with it their device: the
   *     kernel would choose by the route, and that may lead through another device; null: any
   */
  public DarpcTransport(DarpcOptions options, @Nullable InetAddress source) {
    this.options = options;
    this.source = source;
    tickMillis = options.silence().toMillis() / TICKS_OF_SILENCE;
    workers =
        new ThreadPoolExecutor(
            0,
            Integer.MAX_VALUE,
            1,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            daemons("rpc-worker"));
    watcher = Executors.newSingleThreadScheduledExecutor(daemons("rpc-watcher"));
    var unused =
        watcher.scheduleAtFixedRate(this::tick, tickMillis, tickMillis, TimeUnit.MILLISECONDS);
  }

  private static ThreadFactory daemons(String name) {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  DarpcOptions options() {
    return options;
  }

  /** Runs something that may block, soon. */
  void execute(Runnable task) {
    workers.execute(task);
  }

  @Override
  @MustBeClosed
  public RpcClient client(InetSocketAddress peer) {
    DarpcClient client = new DarpcClient(this, peer);
    clients.add(client);
    synchronized (lock) {
      if (closed) {
        client.close();
      }
    }
    return client;
  }

  @Override
  @MustBeClosed
  public RpcServer serve(InetSocketAddress listen, RpcHandler handler) throws IOException {
    checkAddress(listen);
    DarpcServer server = new DarpcServer(this, listen, handler);
    boolean tooLate;
    synchronized (lock) {
      servers.add(server);
      tooLate = closed;
    }
    if (tooLate) {
      server.close();
      throw new IOException("the transport is closed");
    }
    return server;
  }

  /** DiSNI would silently truncate an IPv6 address. */
  static void checkAddress(InetSocketAddress address) throws IOException {
    if (!(address.getAddress() instanceof Inet4Address)) {
      throw new IOException("not an IPv4 address: " + address);
    }
  }

  /** An unconnected connection; it is watched, and released after it was lost. */
  ClientConnection newConnection() throws IOException {
    EndpointGroup<ClientConnection> group;
    synchronized (lock) {
      if (closed) {
        throw new IOException("the transport is closed");
      }
      if (clientGroup == null) {
        clientGroup = EndpointGroup.open(options.depth(), this::newEndpoint);
      }
      group = clientGroup;
    }
    ClientConnection connection = group.createEndpoint();
    connections.add(connection);
    return connection;
  }

  /** Where clients connect from; null: anywhere. */
  @Nullable InetSocketAddress source() {
    return source == null ? null : new InetSocketAddress(source, 0);
  }

  private ClientConnection newEndpoint(EndpointGroup<ClientConnection> group, RdmaCmId id)
      throws IOException {
    return new ClientConnection(group, id, options, this::releaseLater);
  }

  private void releaseLater(ClientConnection connection) {
    execute(() -> release(connection));
  }

  private void release(ClientConnection connection) {
    try {
      connection.release();
    } catch (IOException | InterruptedException | RuntimeException e) {
      LOG.warn("could not free a connection", e);
    } finally {
      clients.forEach(DarpcClient::forgetLost);
      synchronized (lock) {
        connections.remove(connection);
        lock.notifyAll();
      }
    }
  }

  /** Connections that hold resources at the moment, of clients and servers. */
  int connectionCount() {
    return connections.size() + servers.stream().mapToInt(DarpcServer::connectionCount).sum();
  }

  void forget(DarpcClient client) {
    clients.remove(client);
  }

  void forget(DarpcServer server) {
    servers.remove(server);
  }

  private void tick() {
    try {
      int unusedTicks = (int) Math.min(options.idle().toMillis() / tickMillis, 1 << 30);
      connections.forEach(connection -> connection.tick(TICKS_OF_SILENCE, unusedTicks));
      servers.forEach(server -> server.tick(2 * TICKS_OF_SILENCE));
    } catch (RuntimeException e) {
      LOG.error("the RPC watcher failed once and goes on", e);
    }
  }

  @Override
  public void close() {
    EndpointGroup<ClientConnection> group;
    synchronized (lock) {
      closed = true;
      group = clientGroup;
      clientGroup = null;
    }
    clients.forEach(DarpcClient::close);
    servers.forEach(DarpcServer::loseConnections);
    servers.forEach(DarpcServer::close);
    connections.forEach(connection -> connection.lose("the transport was closed"));
    awaitReleases();
    watcher.shutdown();
    try {
      if (group != null) {
        group.close();
      }
      workers.shutdown();
      if (!workers.awaitTermination(10, TimeUnit.SECONDS)
          || !watcher.awaitTermination(10, TimeUnit.SECONDS)) {
        LOG.warn("threads of the RPC transport are still running");
      }
    } catch (IOException e) {
      LOG.warn("could not close an endpoint group", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void awaitReleases() {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    synchronized (lock) {
      while (!connections.isEmpty()) {
        try {
          long left = end - System.nanoTime();
          if (left <= 0) {
            LOG.warn("{} connections are still not released", connections.size());
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
}
