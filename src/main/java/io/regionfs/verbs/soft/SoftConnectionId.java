package io.regionfs.verbs.soft;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaConnParam;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** An end of a connection, or a listener, before and after it has a queue pair. */
final class SoftConnectionId extends RdmaCmId {
  private static final Logger LOG = LoggerFactory.getLogger(SoftConnectionId.class);
  private static final byte[] NOTHING = new byte[0];
  private static final InetSocketAddress UNKNOWN = new InetSocketAddress("0.0.0.0", 0);

  private final SoftEventChannel channel;

  /** Bound, or accepted from a listener and not yet given to a link; −1 if there is none. */
  @GuardedBy("this")
  private int socket = -1;

  @GuardedBy("this")
  private @Nullable Handshake request;

  @GuardedBy("this")
  private @Nullable SoftListener listener;

  @GuardedBy("this")
  private @Nullable SoftQueuePair queuePair;

  @GuardedBy("this")
  private InetSocketAddress local = UNKNOWN;

  @GuardedBy("this")
  private InetSocketAddress peer = UNKNOWN;

  SoftConnectionId(SoftEventChannel channel, SoftContext context, int portSpace)
      throws IOException {
    super(channel, context);
    this.channel = channel;
    ps = portSpace;
  }

  /** The passive end of a connection that a peer asks for. */
  static SoftConnectionId requested(
      SoftConnectionId listener, SoftContext context, int socket, Handshake request)
      throws IOException {
    SoftConnectionId id = new SoftConnectionId(listener.channel, context, listener.getPs());
    synchronized (id) {
      id.socket = socket;
      id.request = request;
      id.local = TcpSocket.localAddress(socket);
      id.peer = TcpSocket.peerAddress(socket);
    }
    return id;
  }

  SoftDevice device() {
    return channel.device();
  }

  synchronized void attach(SoftQueuePair pair) throws IOException {
    if (queuePair != null) {
      throw new IOException("the identifier already has a queue pair");
    }
    queuePair = pair;
    setQp(pair);
  }

  synchronized @Nullable SoftQueuePair queuePair() {
    return queuePair;
  }

  void event(EventType type, int status) {
    event(type, null, status, NOTHING);
  }

  /** Reports to whoever reads the channel, unless the identifier is destroyed. */
  void event(EventType type, @Nullable SoftConnectionId from, int status, byte[] privateData) {
    if (!isOpen()) {
      return;
    }
    try {
      channel.add(new SoftCmEvent(type, from, this, status, privateData));
    } catch (IOException e) {
      throw new IllegalStateException("DiSNI refuses an event", e);
    }
  }

  synchronized void bind(InetSocketAddress address) throws IOException {
    if (socket >= 0) {
      throw new IOException("already bound");
    }
    int fd = TcpSocket.open();
    try {
      TcpSocket.bind(fd, address);
      local = TcpSocket.localAddress(fd);
    } catch (IOException e) {
      LibC.INSTANCE.close(fd);
      throw e;
    }
    socket = fd;
  }

  synchronized void startListening(int backlog) throws IOException {
    if (socket < 0 || listener != null) {
      throw new IOException(socket < 0 ? "not bound" : "already listening");
    }
    listener = new SoftListener(this, socket, backlog);
    socket = -1;
  }

  synchronized void resolved(InetSocketAddress address) {
    peer = address;
  }

  /** Starts the active side; how it ends is told by an event. */
  synchronized void startConnecting(RdmaConnParam parameters) throws IOException {
    SoftQueuePair pair = requirePair();
    if (peer.getPort() == 0) {
      throw new IOException("address not resolved");
    }
    int fd = socket >= 0 ? socket : TcpSocket.open();
    socket = -1;
    pair.connect(fd, peer, handshake(Handshake.REQUEST, parameters));
  }

  synchronized void startAccepting(RdmaConnParam parameters) throws IOException {
    SoftQueuePair pair = requirePair();
    Handshake asked = request;
    if (asked == null || socket < 0) {
      throw new IOException("no connection request to accept");
    }
    int fd = socket;
    socket = -1;
    pair.accept(fd, asked, handshake(Handshake.ACCEPT, parameters));
  }

  @GuardedBy("this")
  private SoftQueuePair requirePair() throws IOException {
    SoftQueuePair pair = queuePair;
    if (pair == null) {
      throw new IOException("no queue pair");
    }
    return pair;
  }

  @GuardedBy("this")
  private Handshake handshake(int kind, RdmaConnParam parameters) throws IOException {
    int bytes = parameters.getPrivate_data() == 0 ? 0 : parameters.getPrivate_data_len();
    if (bytes < 0 || bytes > Handshake.MAX_PRIVATE_DATA) {
      throw new IOException("private data is at most " + Handshake.MAX_PRIVATE_DATA + " bytes");
    }
    byte[] data = new byte[bytes];
    if (bytes > 0) {
      Memory.get(parameters.getPrivate_data(), data, 0, bytes);
    }
    int number = requirePair().getQp_num();
    int depth = device().options().readDepth();
    return new Handshake(kind, number, depth, parameters.getRnr_retry_count() & 7, data);
  }

  synchronized void learnLocal(int fd) {
    try {
      local = TcpSocket.localAddress(fd);
    } catch (IOException e) {
      LOG.debug("no local address", e);
    }
  }

  synchronized SocketAddress local() {
    return local;
  }

  synchronized SocketAddress peer() {
    return peer;
  }

  synchronized void endConnection() throws IOException {
    requirePair().disconnect();
  }

  synchronized void destroyPair() {
    if (queuePair != null) {
      queuePair.destroy();
    }
  }

  /** Ends whatever is left; a connection request that was not accepted is rejected. */
  void destroy() {
    SoftListener ended;
    synchronized (this) {
      close();
      destroyPair();
      if (socket >= 0) {
        if (request != null) {
          TcpSocket.sendAll(socket, Handshake.reject().encode());
        }
        LibC.INSTANCE.close(socket);
        socket = -1;
      }
      ended = listener;
      listener = null;
    }
    if (ended != null) {
      ended.close();
    }
  }
}
