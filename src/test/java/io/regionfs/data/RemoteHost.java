package io.regionfs.data;

import io.regionfs.meta.Metadata;
import io.regionfs.meta.Node;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.region.HomeHandler;
import io.regionfs.region.LentMemory;
import io.regionfs.region.LentMemoryOptions;
import io.regionfs.region.MemoryDirectory;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.rpc.local.LocalTransport;
import io.regionfs.verbs.DeviceUnderTest;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A home that lends memory and a borrower in one process, joined by a device and local calls. The
 * home can be stopped and started again at other addresses.
 */
@SuppressWarnings({"MustBeClosedChecker", "NullAway.Init"}) // closed in close()
final class RemoteHost implements AutoCloseable {
  static final NodeId HOME = new NodeId(7);
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  private final DeviceUnderTest device;
  final Fabric homeFabric;
  final Fabric borrowerFabric;
  final RpcTransport transport = new LocalTransport();
  private final Path directory;
  private final LentMemoryOptions options;
  private LentMemory memory;
  private HomeHandler handler;
  private RpcServer server;
  private FabricListener listener;
  private volatile Node node;
  private volatile boolean alive = true;

  RemoteHost(long capacityBytes, DeviceUnderTest device) throws IOException {
    this.device = device;
    homeFabric = device.open();
    borrowerFabric = device.open();
    directory = Files.createTempDirectory(Path.of("/dev/shm"), "regionfs-test-");
    options = new LentMemoryOptions(directory, capacityBytes, 256L << 20);
    start();
  }

  void start() throws IOException {
    listener = homeFabric.listen(new InetSocketAddress(device.address(), 0));
    memory =
        LentMemory.open(
            options, homeFabric, listener.address(), bytes -> MappedBuffer.make(homeFabric, bytes));
    handler = new HomeHandler(memory);
    server = transport.serve(new InetSocketAddress(LOOPBACK, 0), handler);
    node =
        new Node(HOME, "home", server.address(), listener.address(), true, 0, 0, 0, "soft (test)");
  }

  /** As if its process ended; its memory directory stays. */
  void stop() {
    listener.close();
    server.close();
    handler.close();
    memory.close();
  }

  /** What the metadata service says of the home. */
  void declareDead() {
    alive = false;
  }

  /** The home withdraws a region behind the borrower's back. */
  void drop(InodeId inode) {
    memory.drop(inode);
  }

  LentMemory memory() {
    return memory;
  }

  HomeHandler handler() {
    return handler;
  }

  RemoteRegions regions(RemoteOptions remoteOptions) {
    return regions(remoteOptions, borrowerFabric);
  }

  RemoteRegions regions(RemoteOptions remoteOptions, Fabric fabric) {
    return new RemoteRegions(metadata(), fabric, transport, remoteOptions);
  }

  private Metadata metadata() {
    return (Metadata)
        Proxy.newProxyInstance(
            Metadata.class.getClassLoader(),
            new Class<?>[] {Metadata.class},
            (proxy, method, arguments) -> {
              if (!method.getName().equals("node")) {
                throw new UnsupportedOperationException(method.getName());
              }
              Node now = node;
              return new Node(
                  now.id(), now.name(), now.rpc(), now.data(), alive, 0, 0, 0, now.fabric());
            });
  }

  @Override
  public void close() {
    stop();
    transport.close();
    borrowerFabric.close();
    homeFabric.close();
    try {
      MemoryDirectory.delete(directory);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
