package io.regionfs.metaserver.raft;

import com.alipay.remoting.ConnectionEventType;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.rpc.impl.BoltRpcServer;
import com.alipay.sofa.jraft.rpc.impl.PingRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.AppendEntriesRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.GetFileRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.InstallSnapshotRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.ReadIndexRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.RequestVoteRequestProcessor;
import com.alipay.sofa.jraft.rpc.impl.core.TimeoutNowRequestProcessor;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.RpcFactoryHelper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Where a replica hears of the others. It serves what replicas need of each other and nothing else:
 * who wants to change the group asks the metadata service.
 */
final class EngineServer implements AutoCloseable {
  private static final int THREADS = 4;
  private static final int BIND_TRIES = 20;
  private static final long BIND_PAUSE_NANOS = 50_000_000;

  private final RpcServer server;
  private final ExecutorService threads;
  private final AtomicBoolean closed;

  private EngineServer(RpcServer server, ExecutorService threads, AtomicBoolean closed) {
    this.server = server;
    this.threads = threads;
    this.closed = closed;
  }

  /**
   * @throws IOException if the address cannot be used
   */
  static EngineServer start(Endpoint endpoint) throws IOException {
    awaitFree(endpoint);
    ProtobufMsgFactory.load();
    RpcServer server = RpcFactoryHelper.rpcFactory().createRpcServer(endpoint);
    AtomicBoolean closed = new AtomicBoolean();
    closeLateConnections(server, closed);
    AtomicInteger number = new AtomicInteger();
    ExecutorService threads =
        Executors.newFixedThreadPool(
            THREADS,
            task -> {
              Thread thread = new Thread(task, "raft-server-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    AppendEntriesRequestProcessor appendEntries = new AppendEntriesRequestProcessor(threads);
    server.registerConnectionClosedEventListener(appendEntries);
    server.registerProcessor(appendEntries);
    server.registerProcessor(new GetFileRequestProcessor(threads));
    server.registerProcessor(new InstallSnapshotRequestProcessor(threads));
    server.registerProcessor(new RequestVoteRequestProcessor(threads));
    server.registerProcessor(new PingRequestProcessor(threads));
    server.registerProcessor(new TimeoutNowRequestProcessor(threads));
    server.registerProcessor(new ReadIndexRequestProcessor(threads));
    try {
      if (server.init(null)) {
        return new EngineServer(server, threads, closed);
      }
      throw new IOException("cannot listen at " + endpoint + " for the other replicas");
    } catch (RuntimeException | IOException e) {
      threads.shutdown();
      throw new IOException("cannot listen at " + endpoint + " for the other replicas", e);
    }
  }

  /**
   * The engine's server closes the connections that it has when it is shut down. One that comes at
   * that moment would stay: whoever made it, a leader say, would be told "busy" from then on, by a
   * server that is no more, and never ask the one that has the port next.
   */
  private static void closeLateConnections(RpcServer server, AtomicBoolean closed) {
    ((BoltRpcServer) server)
        .getServer()
        .addConnectionEventProcessor(
            ConnectionEventType.CONNECT,
            (address, connection) -> {
              if (closed.get()) {
                connection.close();
              }
            });
  }

  /** A server of an earlier life gives its port back a moment after it was closed. */
  private static void awaitFree(Endpoint endpoint) throws IOException {
    InetAddress address = InetAddress.getByName(endpoint.getIp());
    for (int tries = 1; ; tries++) {
      try (ServerSocket socket = new ServerSocket()) {
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(address, endpoint.getPort()));
        return;
      } catch (IOException e) {
        if (tries == BIND_TRIES) {
          throw new IOException(
              "cannot listen at " + endpoint + " for the other replicas: " + e.getMessage(), e);
        }
        LockSupport.parkNanos(BIND_PAUSE_NANOS);
      }
    }
  }

  @Override
  public void close() {
    closed.set(true);
    server.shutdown();
    threads.shutdown();
  }
}
