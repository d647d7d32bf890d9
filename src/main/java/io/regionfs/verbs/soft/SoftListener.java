package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import io.regionfs.posix.Threads;
import java.io.IOException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts sockets and reads their handshakes, all in one thread: a peer that says nothing, or
 * nonsense, or dribbles, delays nobody and is hung up on after the handshake time.
 */
final class SoftListener {
  private static final Logger LOG = LoggerFactory.getLogger(SoftListener.class);
  private static final LibC C = LibC.INSTANCE;

  /** More strangers than this are not listened to at a time. */
  private static final int MAX_PENDING = 256;

  private static final int EVENTS = 64;
  private static final int EVENT_BYTES = 12;

  /** A socket whose handshake isn't complete. */
  private static final class Stranger {
    final byte[] received = new byte[Handshake.BYTES];
    final long deadline;
    int bytes;

    Stranger(long deadline) {
      this.deadline = deadline;
    }
  }

  private final SoftConnectionId id;
  private final int socket;
  private final int epoll;
  private final int wake;
  private final Thread thread;
  private final long events = Memory.allocate(EVENTS * EVENT_BYTES + Handshake.BYTES);
  private final Map<Integer, Stranger> strangers = new HashMap<>();
  private volatile boolean closed;

  /** Takes the bound socket over. */
  SoftListener(SoftConnectionId id, int socket, int backlog) throws IOException {
    this.id = id;
    this.socket = socket;
    TcpSocket.listen(socket, Math.max(backlog, 16));
    epoll = TcpSocket.check(C.epoll_create1(LibC.O_CLOEXEC), "epoll_create1");
    wake = TcpSocket.check(C.eventfd(0, LibC.O_CLOEXEC), "eventfd");
    watch(socket);
    watch(wake);
    thread = new Thread(null, this::run, "soft-verbs-listen-" + id.local(), 512 << 10);
    thread.setDaemon(true);
    thread.start();
  }

  private void watch(int fd) throws IOException {
    long event = Memory.allocate(EVENT_BYTES);
    Memory.putInt(event, LibC.EPOLLIN);
    Memory.putLong(event + 4, fd);
    int result = C.epoll_ctl(epoll, LibC.EPOLL_CTL_ADD, fd, event);
    Memory.free(event);
    TcpSocket.check(result, "epoll_ctl");
  }

  private void run() {
    while (!closed) {
      int ready = C.epoll_wait(epoll, events, EVENTS, strangers.isEmpty() ? -1 : 100);
      for (int i = 0; i < ready && !closed; i++) {
        int fd = Memory.getInt(events + (long) i * EVENT_BYTES + 4);
        if (fd == socket) {
          acceptAll();
        } else if (fd != wake) {
          read(fd);
        }
      }
      expire();
    }
    strangers.keySet().forEach(C::close);
    C.close(socket);
    C.close(epoll);
    C.close(wake);
    Memory.free(events);
  }

  private void acceptAll() {
    for (int fd = TcpSocket.accept(socket); fd >= 0; fd = TcpSocket.accept(socket)) {
      SoftDeviceOptions options = id.device().options();
      if (options.faults().refusing() || strangers.size() >= MAX_PENDING) {
        TcpSocket.reset(fd);
        continue;
      }
      try {
        watch(fd);
        strangers.put(fd, new Stranger(System.nanoTime() + options.handshakeTimeout().toNanos()));
      } catch (IOException e) {
        LOG.warn("cannot serve a new connection: {}", e.getMessage());
        C.close(fd);
      }
    }
    if (LibC.errno() == 24) {
      LOG.warn("cannot accept a connection: too many open files");
      pauseBriefly();
    }
  }

  private static void pauseBriefly() {
    LockSupport.parkNanos(10_000_000);
  }

  private void read(int fd) {
    Stranger stranger = strangers.get(fd);
    if (stranger == null) {
      return;
    }
    long scratch = events + (long) EVENTS * EVENT_BYTES;
    int wanted = Handshake.BYTES - stranger.bytes;
    long n = C.recv(fd, scratch, wanted, 0);
    if (n <= 0) {
      if (n == 0 || LibC.errno() != TcpSocket.EAGAIN) {
        hangUp(fd);
      }
      return;
    }
    Memory.get(scratch, stranger.received, stranger.bytes, (int) n);
    stranger.bytes += (int) n;
    if (stranger.bytes == Handshake.BYTES) {
      strangers.remove(fd);
      C.epoll_ctl(epoll, LibC.EPOLL_CTL_DEL, fd, 0);
      introduce(fd, stranger.received);
    }
  }

  private void introduce(int fd, byte[] message) {
    try {
      Handshake request = Handshake.decode(message);
      if (request.kind() != Handshake.REQUEST) {
        throw new IOException("expected a connection request");
      }
      IbvContext context = id.getVerbs();
      SoftConnectionId child = SoftConnectionId.requested(id, (SoftContext) context, fd, request);
      child.event(EventType.RDMA_CM_EVENT_CONNECT_REQUEST, id, 0, request.privateData());
    } catch (IOException e) {
      LOG.debug("connection refused: {}", e.getMessage());
      TcpSocket.reset(fd);
    }
  }

  private void hangUp(int fd) {
    strangers.remove(fd);
    TcpSocket.reset(fd);
  }

  private void expire() {
    if (strangers.isEmpty()) {
      return;
    }
    long now = System.nanoTime();
    for (Iterator<Map.Entry<Integer, Stranger>> i = strangers.entrySet().iterator();
        i.hasNext(); ) {
      Map.Entry<Integer, Stranger> e = i.next();
      if (now - e.getValue().deadline > 0) {
        i.remove();
        TcpSocket.reset(e.getKey());
      }
    }
  }

  /** Ends the thread, and with it the sockets that have not introduced themselves. */
  void close() {
    closed = true;
    long one = Memory.allocate(8);
    Memory.putLong(one, 1);
    C.write(wake, one, 8);
    Memory.free(one);
    if (Thread.currentThread() != thread) {
      Threads.joinUninterruptibly(thread);
    }
  }
}
