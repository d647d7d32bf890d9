package io.regionfs.fs;

import static io.regionfs.fs.Files.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.data.RemoteOptions;
import io.regionfs.data.RemoteRegions;
import io.regionfs.data.RoutedRegions;
import io.regionfs.data.TransferBuffer;
import io.regionfs.meta.Membership;
import io.regionfs.model.Errno;
import io.regionfs.model.InodeId;
import io.regionfs.region.HomeHandler;
import io.regionfs.region.LentMemory;
import io.regionfs.region.LentMemoryOptions;
import io.regionfs.region.MemoryDirectory;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.rpc.local.LocalTransport;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.disni.FabricRequest;
import io.regionfs.verbs.disni.FabricSelection;
import io.regionfs.verbs.soft.SeatedDevice;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Two hosts that reach each other's memory over soft verbs, with each kind of atomics. */
class RemoteFileSystemTest {
  @SuppressWarnings({"MustBeClosedChecker", "NullAway.Init"}) // closed in close()
  abstract static class TwoHosts extends SharedPagesContract {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final long BUDGET = 64 << 20;

    private final SeatedDevice device;
    private final RpcTransport transport = new LocalTransport();
    private final Host one;
    private final Host two;
    private final TestService service;

    TwoHosts(Atomics atomics) throws IOException {
      device = new SeatedDevice(atomics);
      one = new Host();
      two = new Host();
      service = new TestService(transport, one.identity(1), two.identity(2));
      one.start(1);
      two.start(2);
    }

    /** One host: lends memory, borrows the other's, and has a file system. */
    private final class Host {
      private final Path directory;
      private final Fabric fabric;
      private final LentMemory memory;
      private final HomeHandler handler;
      private final RpcServer server;
      private final FabricListener listener;
      private RemoteRegions remote;
      private RegionFileSystem fileSystem;

      Host() throws IOException {
        directory = java.nio.file.Files.createTempDirectory(Path.of("/dev/shm"), "regionfs-test-");
        fabric =
            FabricSelection.choose(FabricRequest.soft(), LOOPBACK, SoftDeviceOptions.defaults())
                .open();
        listener = fabric.listen(TestService.loopback(0));
        memory =
            LentMemory.open(
                new LentMemoryOptions(directory, BUDGET, BUDGET),
                fabric,
                listener.address(),
                bytes -> remoteBuffer());
        handler = new HomeHandler(memory);
        server = transport.serve(TestService.loopback(0), handler);
      }

      private static TransferBuffer remoteBuffer() {
        throw new UnsupportedOperationException("buffers are made by the remote regions");
      }

      Membership.Identity identity(int number) {
        return TestService.identity(number, server.address(), listener.address());
      }

      void start(int number) {
        var metadata = service.metadata(number);
        remote = new RemoteRegions(metadata, fabric, transport, RemoteOptions.defaults());
        fileSystem =
            new RegionFileSystem(
                metadata,
                new RoutedRegions(service.id(number), memory, remote),
                service.id(number),
                new FsOptions(
                    fabric.description(), true, Coherence.OPEN, TWIN_BYTES, Lifetime.FILE));
      }

      /** To the other host it is gone. */
      void vanish() {
        listener.close();
        server.close();
      }

      void close() throws IOException {
        remote.close();
        vanish();
        handler.close();
        memory.close();
        assertThat(fabric.registrations()).isZero();
        fabric.close();
        assertThat(MemoryDirectory.delete(directory)).isTrue();
      }
    }

    @Override
    RegionFileSystem node(int number) {
      return number == 1 ? one.fileSystem : two.fileSystem;
    }

    @Override
    boolean hasRegion(InodeId inode) {
      return refusal(() -> one.memory.stat(inode, service.id(1))).isEmpty()
          || refusal(() -> two.memory.stat(inode, service.id(2))).isEmpty();
    }

    @Override
    void expire(int number) {
      service.rejoin(number);
    }

    @AfterEach
    void close() throws IOException {
      one.fileSystem.close();
      two.fileSystem.close();
      one.close();
      two.close();
      service.close();
      device.close();
    }

    @Test
    void aHomeThatIsGoneLeavesItsCommittedAttributes() {
      InodeId inode = new Files(node(1)).make("a", "text");
      Files away = new Files(node(2));
      try (OpenFile file = away.open(inode, Files.O_RDWR)) {
        assertThat(away.read(file, 0, 10)).isEqualTo("text");
        one.vanish();
        service.leave(1);
        assertThat(refusal(() -> away.read(file, 0, 10))).contains(Errno.EIO);
        assertThat(refusal(() -> away.write(file, 0, "x"))).contains(Errno.EIO);
        assertThat(away.size(inode)).isEqualTo(4);
      }
      away.unlink("a");
      assertThat(refusal(() -> away.lookup("a"))).contains(Errno.ENOENT);
      assertThat(away.content(away.make("b", "own"))).isEqualTo("own");
    }
  }

  @Nested
  class WithGlobalAtomics extends TwoHosts {
    WithGlobalAtomics() throws IOException {
      super(Atomics.GLOBAL);
    }
  }

  @Nested
  class WithAtomicsOfTheDevice extends TwoHosts {
    WithAtomicsOfTheDevice() throws IOException {
      super(Atomics.DEVICE);
    }
  }

  @Nested
  class WithoutAtomics extends TwoHosts {
    WithoutAtomics() throws IOException {
      super(Atomics.NONE);
    }
  }
}
