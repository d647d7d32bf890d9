package io.regionfs.verbs.soft;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection's socket and the thread that serves it. The thread reads unless another that waits
 * for a completion has taken that over ({@link #drive}); whoever holds {@code receiving} reads.
 * Lock order: {@code receiving}, then the queue pair's transmit lock, then this object's monitor.
 */
final class Link {
  private static final Logger LOG = LoggerFactory.getLogger(Link.class);
  private static final LibC C = LibC.INSTANCE;
  private static final int STACK_BYTES = 512 << 10;
  private static final int ECONNRESET = 104;
  private static final int ETIMEDOUT = 110;

  /** How long the peer may take to read a last message before the socket is closed on it. */
  private static final Duration LINGER = Duration.ofSeconds(1);

  private final SoftQueuePair pair;
  private final int socket;
  private final int epoll;
  private final SoftFaults faults;
  private final ReentrantLock receiving = new ReentrantLock();
  private final Receiver receiver;
  private final long event = Memory.allocate(16);
  private final long armEvent = Memory.allocate(16);
  private volatile boolean ready;
  private volatile boolean driven;
  private volatile boolean ended;

  @GuardedBy("this")
  private int armed;

  @GuardedBy("this")
  private boolean closed;

  /** Takes the socket over. */
  Link(SoftQueuePair pair, int socket) throws IOException {
    this.pair = pair;
    this.socket = socket;
    faults = pair.device().options().faults();
    TcpSocket.tune(socket, (int) pair.device().options().peerTimeout().toMillis());
    epoll = TcpSocket.check(C.epoll_create1(LibC.O_CLOEXEC), "epoll_create1");
    receiver = new Receiver(pair);
  }

  /** Asks the peer for a connection, in the link's thread, and tells the queue pair the result. */
  void startActive(InetSocketAddress peer, Handshake request) {
    start(() -> connect(peer, request));
  }

  /** Serves a connection that is established. */
  void startPassive() {
    start(() -> true);
  }

  /** How a link begins its life. */
  private interface Beginning {
    boolean succeeds() throws IOException;
  }

  private void start(Beginning beginning) {
    Thread thread =
        new Thread(null, () -> run(beginning), "soft-verbs-qp-" + pair.number(), STACK_BYTES);
    thread.setDaemon(true);
    thread.start();
  }

  int descriptor() {
    return faults.blackhole() ? -1 : socket;
  }

  private void run(Beginning beginning) {
    faults.add(this);
    try {
      if (beginning.succeeds()) {
        watch();
        ready = true;
        arm();
        serve();
      }
    } catch (IOException | RuntimeException | Error e) {
      LOG.error("connection of queue pair {} failed", pair.number(), e);
    } finally {
      faults.remove(this);
      pair.lost(ECONNRESET);
      finish();
    }
  }

  private boolean connect(InetSocketAddress peer, Handshake request) throws IOException {
    long deadline = System.nanoTime() + pair.device().options().handshakeTimeout().toNanos();
    int errno = TcpSocket.connect(socket, peer, millisUntil(deadline));
    if (errno != 0) {
      pair.connectFailed(errno);
      return false;
    }
    if (!TcpSocket.sendAll(socket, request.encode())) {
      pair.connectFailed(ECONNRESET);
      return false;
    }
    byte[] message = new byte[Handshake.BYTES];
    int result = receiveHandshake(message, deadline);
    if (result != 0) {
      pair.connectFailed(result);
      return false;
    }
    try {
      pair.connected(socket, Handshake.decode(message));
      return true;
    } catch (IOException e) {
      LOG.warn("cannot connect to {}: {}", peer, e.getMessage());
      pair.connectFailed(ECONNRESET);
      return false;
    }
  }

  /** Fills the message; returns errno, 0 for success. */
  private int receiveHandshake(byte[] message, long deadline) {
    long scratch = Memory.allocate(Handshake.BYTES);
    try {
      for (int bytes = 0; bytes < Handshake.BYTES; ) {
        int left = millisUntil(deadline);
        if (left <= 0 || !TcpSocket.await(socket, LibC.POLLIN, left)) {
          return ETIMEDOUT;
        }
        long n = C.recv(socket, scratch + bytes, Handshake.BYTES - bytes, 0);
        if (n == 0) {
          return ECONNRESET;
        }
        if (n > 0) {
          bytes += (int) n;
        } else if (LibC.errno() != TcpSocket.EAGAIN && LibC.errno() != TcpSocket.EINTR) {
          return LibC.errno();
        }
      }
      Memory.get(scratch, message, 0, Handshake.BYTES);
      return 0;
    } finally {
      Memory.free(scratch);
    }
  }

  private static int millisUntil(long deadline) {
    return (int) ((deadline - System.nanoTime()) / 1_000_000);
  }

  private void serve() {
    while (!ended) {
      if (C.epoll_wait(epoll, event, 1, -1) <= 0) {
        continue;
      }
      if (faults.blackhole()) {
        LockSupport.parkNanos(1_000_000);
        continue;
      }
      int happened = Memory.getInt(event);
      if ((happened & LibC.EPOLLOUT) != 0) {
        pair.flush();
      }
      if ((happened & ~LibC.EPOLLOUT) != 0) {
        if (faults.delayNanos() > 0) {
          LockSupport.parkNanos(faults.delayNanos());
        }
        if (!progress()) {
          LockSupport.parkNanos(1);
        }
      }
    }
  }

  /** Reads what is there; false if another thread does. */
  boolean progress() {
    if (!ready || receiving.isHeldByCurrentThread() || !receiving.tryLock()) {
      return false;
    }
    try {
      if (!ended && !faults.blackhole()) {
        ended = !receiver.progress(socket);
      }
    } finally {
      receiving.unlock();
    }
    return true;
  }

  /** Makes the calling thread the reader, until it hands back; false if there is another. */
  boolean drive() {
    if (!ready
        || ended
        || faults.blackhole()
        || faults.delayNanos() > 0
        || receiving.isHeldByCurrentThread()
        || !receiving.tryLock()) {
      return false;
    }
    if (ended) {
      receiving.unlock();
      return false;
    }
    driven = true;
    arm();
    return true;
  }

  /** Reads what is there, as the reader; false if this connection has no more to say. */
  boolean progressDriven() {
    if (!ended) {
      ended = !receiver.progress(socket);
    }
    return !ended;
  }

  void handBack() {
    driven = false;
    receiving.unlock();
    arm();
  }

  private void watch() throws IOException {
    Memory.putInt(event, 0);
    Memory.putLong(event + 4, 0);
    TcpSocket.check(C.epoll_ctl(epoll, LibC.EPOLL_CTL_ADD, socket, event), "epoll_ctl");
  }

  /** Lets the link's thread wait for what is its to do now. */
  synchronized void arm() {
    if (closed || !ready) {
      return;
    }
    int wanted = driven ? 0 : LibC.EPOLLIN;
    if (pair.isOutputBlocked()) {
      wanted |= LibC.EPOLLOUT;
    }
    if (faults.blackhole()) {
      wanted = 0;
    }
    if (wanted != armed) {
      armed = wanted;
      Memory.putInt(armEvent, wanted);
      Memory.putLong(armEvent + 4, 0);
      C.epoll_ctl(epoll, LibC.EPOLL_CTL_MOD, socket, armEvent);
    }
  }

  void faultsChanged() {
    arm();
    pair.flush();
  }

  /** Nothing more will be sent; the peer learns when it has read all. */
  synchronized void endOutput() {
    if (!closed) {
      C.shutdown(socket, TcpSocket.SHUT_WR);
    }
  }

  /** Breaks the connection. */
  synchronized void cut() {
    if (!closed) {
      C.shutdown(socket, TcpSocket.SHUT_RDWR);
    }
  }

  /** Breaks the connection unless the peer ends it soon. */
  void cutLater() {
    var unused =
        pair.device().timer().schedule(this::cut, LINGER.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void finish() {
    cut();
    receiving.lock();
    try {
      ended = true;
      pair.release(this::close);
    } finally {
      receiving.unlock();
    }
  }

  private synchronized void close() {
    closed = true;
    C.close(epoll);
    C.close(socket);
    Memory.free(event);
    Memory.free(armEvent);
    receiver.free();
  }
}
