package io.regionfs.meta;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.model.FsException;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcTransport;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replicas of the metadata service that a client knows: those it was given, and those that they
 * named as their leader. Safe for use by many threads.
 */
public final class Replicas implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);

  /** Beyond it no more are learned: no service has so many. */
  private static final int MOST = 64;

  /** Null if the clients are the caller's, and no others can be made. */
  private final @Nullable Function<InetSocketAddress, RpcClient> connector;

  private final List<Replica> known = new CopyOnWriteArrayList<>();

  /** One of them. */
  static final class Replica {
    private final RpcClient client;
    private final @Nullable InetSocketAddress address;

    private Replica(RpcClient client, @Nullable InetSocketAddress address) {
      this.client = client;
      this.address = address;
    }

    RpcClient client() {
      return client;
    }

    @Override
    public String toString() {
      return address == null ? "a metadata service" : Messages.text(address);
    }
  }

  private Replicas(@Nullable Function<InetSocketAddress, RpcClient> connector) {
    this.connector = connector;
  }

  /**
   * Replicas that are called over this transport, at these addresses and those that they name.
   * Closes its clients, not the transport.
   */
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // closed by what is returned
  public static Replicas at(List<InetSocketAddress> addresses, RpcTransport transport) {
    Replicas replicas = new Replicas(transport::client);
    addresses.stream().distinct().forEach(address -> replicas.find(address));
    return replicas.checked();
  }

  /** Replicas behind clients that stay the caller's to close; none but these are ever called. */
  static Replicas of(List<RpcClient> clients) {
    Replicas replicas = new Replicas(null);
    clients.forEach(client -> replicas.known.add(new Replica(client, null)));
    return replicas.checked();
  }

  private Replicas checked() {
    if (known.isEmpty()) {
      throw new IllegalArgumentException("no metadata service given");
    }
    return this;
  }

  Replica first() {
    return known.get(0);
  }

  /** The one to try when this one did not answer. */
  Replica after(Replica replica) {
    boolean found = false;
    for (Replica next : known) {
      if (found) {
        return next;
      }
      found = next == replica;
    }
    return first();
  }

  List<Replica> others(Replica replica) {
    return known.stream().filter(other -> other != replica).toList();
  }

  int size() {
    return known.size();
  }

  /** The replica at an address as replicas name it; null if it cannot be called. */
  @Nullable Replica find(String address) {
    if (address.isEmpty()) {
      return null;
    }
    try {
      return find(Messages.address(address));
    } catch (FsException e) {
      LOG.warn("A replica of the metadata service named a leader without an address", e);
      return null;
    }
  }

  private @Nullable Replica find(InetSocketAddress address) {
    Replica replica = lookUp(address);
    if (replica != null || connector == null) {
      return replica;
    }
    synchronized (this) {
      replica = lookUp(address);
      if (replica == null && known.size() < MOST) {
        replica = new Replica(connector.apply(address), address);
        known.add(replica);
      }
      return replica;
    }
  }

  private @Nullable Replica lookUp(InetSocketAddress address) {
    for (Replica replica : known) {
      if (address.equals(replica.address)) {
        return replica;
      }
    }
    return null;
  }

  @Override
  public void close() {
    if (connector != null) {
      known.forEach(replica -> replica.client.close());
    }
  }
}
