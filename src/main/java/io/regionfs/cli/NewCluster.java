package io.regionfs.cli;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.meta.MetadataClient;
import io.regionfs.meta.MetadataClientOptions;
import io.regionfs.metaserver.LocalLog;
import io.regionfs.metaserver.MetadataOptions;
import io.regionfs.metaserver.MetadataService;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.TimeChange;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.local.LocalTransport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.UUID;

/** The beginning of a cluster: an empty namespace whose root belongs to the user who made it. */
final class NewCluster {
  private NewCluster() {}

  /**
   * The metadata service of a new cluster.
   *
   * @param address where it will be reached, its name in status
   */
  @MustBeClosed
  static MetadataService create(InetSocketAddress address) throws IOException {
    Replica replica = new Replica();
    MetadataService service =
        new MetadataService(
            new MetadataOptions(
                UUID.randomUUID().toString(),
                Addresses.text(address),
                MetadataOptions.DEFAULT_LEASE),
            replica,
            new LocalLog(replica));
    boolean done = false;
    try {
      takeRoot(service, address);
      done = true;
      return service;
    } finally {
      if (!done) {
        service.close();
      }
    }
  }

  /** A command like any other, so that every replica knows it. */
  private static void takeRoot(MetadataService service, InetSocketAddress address)
      throws IOException {
    AttributeChange mine =
        new AttributeChange(
            null,
            LibC.INSTANCE.getuid(),
            LibC.INSTANCE.getgid(),
            null,
            TimeChange.NOW,
            TimeChange.NOW);
    try (LocalTransport calls = new LocalTransport();
        RpcServer server = calls.serve(address, service);
        RpcClient client = calls.client(server.address());
        MetadataClient metadata =
            new MetadataClient(List.of(client), MetadataClientOptions.PATIENT)) {
      metadata.setAttributes(InodeId.ROOT, mine);
    }
  }
}
