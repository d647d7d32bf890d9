package io.regionfs.rpc.darpc;

import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvWC;
import io.regionfs.posix.Threads;
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

  /**
   * Held while a queue pair is made or destroyed: devices give a number again at once, and what the
   * queue still holds of the old one must not be taken for the new one's. Before {@link #polling}.
   */
  private final Object members = new Object();

  /** Held while completions are taken in and handed out. */
  private final Object polling = new Object();

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

  /** Something done to a connection's queue pair. */
  @FunctionalInterface
  interface Change {
    void make() throws IOException, InterruptedException;
  }

  /** Takes in a connection, whose queue pair is made by this change. */
  void admit(ServerConnection connection, Change making) throws IOException, InterruptedException {
    synchronized (members) {
      making.make();
      connections.put(connection.getQp().getQp_num(), connection);
    }
  }

  /** Lets go of a connection, whose queue pair is destroyed by this change. */
  void dismiss(ServerConnection connection, Change destroying)
      throws IOException, InterruptedException {
    synchronized (members) {
      try {
        destroying.make();
      } finally {
        synchronized (polling) {
          if (!failed()) {
            queue.poll(this::dispatch);
          }
        }
        connections.values().remove(connection);
      }
    }
  }

  private void run() {
    try {
      while (!stopped) {
        serve();
      }
    } catch (IOException | RuntimeException e) {
      LOG.error("a lane of the RPC server failed; its clients will reconnect", e);
    } finally {
      connections.values().forEach(connection -> connection.lose("its lane has ended"));
    }
  }

  private void serve() throws IOException {
    synchronized (polling) {
      queue.arm();
      if (queue.poll(this::dispatch) > 0) {
        return;
      }
    }
    boolean event = queue.awaitEvent(WAIT_MILLIS);
    synchronized (polling) {
      if (event) {
        queue.acknowledge();
      }
      queue.poll(this::dispatch);
    }
  }

  /** Each completion names its queue pair; of one that was removed, those under way are dropped. */
  private void dispatch(IbvWC completion) {
    ServerConnection connection = connections.get(completion.getQp_num());
    if (connection == null) {
      return;
    }
    if (CompletionQueue.succeeded(completion)) {
      connection.dispatch(completion);
    } else {
      connection.lose("completion status " + completion.getStatus());
    }
  }

  boolean failed() {
    return !thread.isAlive();
  }

  /** Joins the thread and frees the queue; the connections are released before. */
  @Override
  public void close() {
    stopped = true;
    Threads.joinUninterruptibly(thread);
    try {
      queue.close();
    } catch (IOException e) {
      LOG.warn("could not free a completion queue", e);
    }
  }
}
