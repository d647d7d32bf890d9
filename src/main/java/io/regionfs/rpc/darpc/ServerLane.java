package io.regionfs.rpc.darpc;

import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvWC;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A completion queue shared by some connections, and the thread that serves them. */
final class ServerLane implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ServerLane.class);

  private static final int WAIT_MILLIS = 100;

  private final CompletionQueue queue;
  private final Thread thread;
  private final Map<Integer, ServerConnection> connections = new ConcurrentHashMap<>();
  private volatile boolean stopped;

  ServerLane(IbvContext device, DarpcOptions options, String name) throws IOException {
    queue = new CompletionQueue(device, options.sharing() * options.completions());
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.start();
  }

  CompletionQueue queue() {
    return queue;
  }

  void add(int queuePair, ServerConnection connection) {
    connections.put(queuePair, connection);
  }

  void remove(ServerConnection connection) {
    connections.values().remove(connection);
  }

  private void run() {
    try {
      while (!stopped) {
        queue.await(WAIT_MILLIS, this::dispatch);
      }
    } catch (IOException | RuntimeException e) {
      LOG.error("a lane of the RPC server failed; its clients will reconnect", e);
    } finally {
      connections.values().forEach(connection -> connection.lose("its lane has ended"));
    }
  }

  /**
   * An error completion need not carry the number of its queue pair, so on a shared queue it says
   * nothing sure: the disconnect event, or silence, ends that connection.
   */
  private void dispatch(IbvWC completion) {
    if (CompletionQueue.succeeded(completion)) {
      ServerConnection connection = connections.get(completion.getQp_num());
      if (connection != null) {
        connection.dispatch(completion);
      }
    }
  }

  boolean failed() {
    return !thread.isAlive();
  }

  /** Joins the thread and frees the queue; the connections are released before. */
  @Override
  public void close() {
    stopped = true;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    try {
      queue.close();
    } catch (IOException e) {
      LOG.warn("could not free a completion queue", e);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
