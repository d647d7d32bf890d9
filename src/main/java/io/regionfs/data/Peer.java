package io.regionfs.data;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.Node;
import io.regionfs.model.NodeId;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.TransferException;
import io.regionfs.verbs.TransferException.Reason;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The way to one home: a link, opened on demand, by one thread at a time. The lock is held while
 * connecting.
 */
final class Peer implements AutoCloseable {
  private final NodeId home;
  private final Metadata metadata;
  private final Fabric fabric;
  private final RpcTransport transport;
  private final RemoteOptions options;
  private final ReentrantLock lock = new ReentrantLock();

  private volatile @Nullable Link current;

  @GuardedBy("lock")
  private @Nullable RpcClient client;

  @GuardedBy("lock")
  private @Nullable InetSocketAddress clientAddress;

  @GuardedBy("lock")
  private boolean closed;

  Peer(
      NodeId home,
      Metadata metadata,
      Fabric fabric,
      RpcTransport transport,
      RemoteOptions options) {
    this.home = home;
    this.metadata = metadata;
    this.fabric = fabric;
    this.transport = transport;
    this.options = options;
  }

  /** An open link, or why there is none. */
  Link link() throws TransferException, InterruptedException {
    Link link = current;
    if (link != null && link.connection().isOpen()) {
      return link;
    }
    Node node = metadata.node(home);
    if (!lock.tryLock(options.attempt().toNanos(), TimeUnit.NANOSECONDS)) {
      throw new TransferException(Reason.TIMED_OUT, "others still connect to node " + home);
    }
    try {
      return open(node);
    } finally {
      lock.unlock();
    }
  }

  @GuardedBy("lock")
  @SuppressWarnings("MustBeClosedChecker") // closed by drop and close
  private Link open(Node node) throws TransferException, InterruptedException {
    Link link = current;
    if (link != null && link.connection().isOpen()) {
      return link;
    }
    if (closed) {
      throw new TransferException(Reason.DISCONNECTED, "this node is shutting down");
    }
    if (link != null) {
      link.connection().close();
      current = null;
    }
    RpcClient calls = client;
    if (calls == null || !node.rpc().equals(clientAddress)) {
      if (calls != null) {
        calls.close();
      }
      calls = transport.client(node.rpc());
      client = calls;
      clientAddress = node.rpc();
    }
    Link made = new Link(fabric.connect(node.data(), options.attempt()), calls);
    current = made;
    return made;
  }

  /** Ends a link that has failed; a newer one stays. */
  void drop(Link link) {
    link.connection().close();
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      Link link = current;
      if (link != null) {
        link.connection().close();
      }
      RpcClient calls = client;
      if (calls != null) {
        calls.close();
      }
    } finally {
      lock.unlock();
    }
  }
}
