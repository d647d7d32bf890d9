package io.regionfs.verbs.disni;

import io.regionfs.posix.Memory;
import io.regionfs.posix.Threads;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a device says unasked, in a thread of its own: it is logged, the port's state is kept, and
 * what ends connections is passed on. Source: ibv_get_async_event(3).
 */
final class DeviceEvents implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DeviceEvents.class);

  /** How long a wait lasts until the end is looked at. */
  private static final int SLICE_MILLIS = 100;

  /** Ends connections; called in the thread of the events. */
  interface Listener {
    /** The queue pair of this number is of no more use. */
    void queuePairFailed(int number, String event);

    /** No connection of the device is of use any more. */
    void deviceFailed(String event);
  }

  /** Where events come from. */
  interface Source {
    /**
     * Waits for one; returns false if none came.
     *
     * @param out NativeVerbs.EVENT_BYTES
     */
    boolean next(int timeoutMillis, long out) throws IOException;
  }

  /** In the order of enum ibv_event_type, as far as it matters here. */
  private enum Kind {
    CQ_ERR,
    QP_FATAL,
    QP_REQ_ERR,
    QP_ACCESS_ERR,
    COMM_EST,
    SQ_DRAINED,
    PATH_MIG,
    PATH_MIG_ERR,
    DEVICE_FATAL,
    PORT_ACTIVE,
    PORT_ERR,
    OTHER
  }

  private final String device;
  private final int port;
  private final Source source;
  private final Listener listener;
  private final Thread thread;
  private volatile boolean closed;
  private volatile String portTrouble = "";
  private volatile String deviceTrouble = "";

  /**
   * @param port the only one whose state matters
   */
  DeviceEvents(String device, int port, Source source, Listener listener) {
    this.device = device;
    this.port = port;
    this.source = source;
    this.listener = listener;
    this.thread = new Thread(this::watch, "device-events");
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** What ails the device or its port, in one line; empty: nothing. */
  String trouble() {
    return deviceTrouble.isEmpty() ? portTrouble : deviceTrouble;
  }

  private void watch() {
    long event = Memory.allocate(NativeVerbs.EVENT_BYTES);
    try {
      while (!closed) {
        if (source.next(SLICE_MILLIS, event)) {
          handle((int) Memory.getLong(event), (int) Memory.getLong(event + Long.BYTES));
        }
      }
    } catch (IOException e) {
      if (!closed) {
        LOG.error("RDMA device {} tells nothing any more: {}", device, e.getMessage());
      }
    } finally {
      Memory.free(event);
    }
  }

  private void handle(int type, int subject) {
    Kind[] kinds = Kind.values();
    Kind kind = type >= 0 && type < kinds.length ? kinds[type] : Kind.OTHER;
    switch (kind) {
      case QP_FATAL, QP_REQ_ERR, QP_ACCESS_ERR -> {
        LOG.warn("RDMA device {}: {} of queue pair {}", device, kind, subject);
        listener.queuePairFailed(subject, kind.name());
      }
      case CQ_ERR -> {
        LOG.error("RDMA device {}: a completion queue has failed", device);
        listener.deviceFailed(kind.name());
      }
      case DEVICE_FATAL -> {
        deviceTrouble = "RDMA device " + device + " has failed or was removed: mount again";
        LOG.error("{}", deviceTrouble);
        listener.deviceFailed(kind.name());
      }
      case PORT_ERR, PORT_ACTIVE -> port(kind, subject);
      default -> LOG.debug("RDMA device {}: event {} of {}", device, type, subject);
    }
  }

  private void port(Kind kind, int number) {
    boolean down = kind == Kind.PORT_ERR;
    if (number == port) {
      portTrouble =
          down
              ? "port " + port + " of RDMA device " + device + " is down: check its interface"
              : "";
    }
    LOG.warn("RDMA device {}: port {} is {}", device, number, down ? "down" : "up");
  }

  @Override
  public void close() {
    closed = true;
    if (Thread.currentThread() != thread) {
      Threads.joinUninterruptibly(thread);
    }
  }
}
