package io.regionfs.daemon;

import com.google.errorprone.annotations.MustBeClosed;
import io.micrometer.core.instrument.MeterRegistry;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.rpc.local.LocalTransport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/**
 * The metadata service of a mount that was given no other: one replica in the mount's state
 * directory. It is reached from other hosts at the node's address, and from its own node without
 * the network.
 */
final class EmbeddedMetadata implements AutoCloseable {
  private static final int ID = 1;

  private final Path stateDirectory;
  private final Lifetimes lifetimes;
  private final MetadataReplica replica;
  private final RpcClient client;
  private boolean discard;

  private EmbeddedMetadata(
      Path stateDirectory, Lifetimes lifetimes, MetadataReplica replica, RpcClient client) {
    this.stateDirectory = stateDirectory;
    this.lifetimes = lifetimes;
    this.replica = replica;
    this.client = client;
  }

  /**
   * Returns when the service answers.
   *
   * @param address where other hosts reach it
   * @param recalls carries the service's own calls to nodes
   * @throws IOException that says what to do if what it kept cannot be read
   */
  @MustBeClosed
  static EmbeddedMetadata open(
      Path stateDirectory, InetSocketAddress address, RpcTransport recalls, MeterRegistry registry)
      throws IOException, InterruptedException {
    Lifetimes lifetimes = new Lifetimes();
    boolean opened = false;
    try {
      EmbeddedMetadata metadata = start(stateDirectory, address, recalls, registry, lifetimes);
      opened = true;
      return metadata;
    } finally {
      if (!opened) {
        lifetimes.close();
      }
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // lifetimes closes all
  private static EmbeddedMetadata start(
      Path stateDirectory,
      InetSocketAddress address,
      RpcTransport recalls,
      MeterRegistry registry,
      Lifetimes lifetimes)
      throws IOException, InterruptedException {
    Path directory = Directories.makePrivate(stateDirectory.resolve(KeptFiles.METADATA));
    String text = Addresses.text(address);
    ReplicaIdentity identity = ReplicaIdentity.in(directory, ID, text);
    if (identity.clusterId().isEmpty()) {
      identity = identity.in(UUID.randomUUID().toString(), List.of(ID + "=" + text));
      identity.keep(directory);
    }
    MetadataReplica replica =
        lifetimes.add(
            "metadata service",
            MetadataReplica.open(
                MetadataReplica.alone(directory, identity.at(text)), text, recalls, registry));
    LocalTransport local = lifetimes.add("local calls", new LocalTransport());
    lifetimes.add("local metadata", local.serve(address, replica));
    RpcClient client = lifetimes.add("metadata calls", local.client(address));
    new Registration(identity, List.of(client)).carryOut();
    return new EmbeddedMetadata(stateDirectory, lifetimes, replica, client);
  }

  /** Answers calls of other hosts. */
  RpcHandler service() {
    return replica;
  }

  /** Calls of the own node. */
  RpcClient client() {
    return client;
  }

  /** Files, directories and symlinks there are, without the root. */
  long inodes() {
    return replica.inodes() - 1;
  }

  /** When it is closed all names go. */
  void discardAtEnd() {
    discard = true;
  }

  @Override
  public void close() throws IOException {
    lifetimes.close();
    if (discard) {
      KeptFiles.discardNames(stateDirectory);
    }
  }
}
