package io.regionfs.fs;

import static io.regionfs.fs.Files.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.data.Regions;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.InodeId;
import io.regionfs.region.LentMemory;
import io.regionfs.region.LentMemoryOptions;
import io.regionfs.rpc.local.LocalTransport;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.RegisteredMemory;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.DirectoryStream;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** On real lent memory, which both nodes reach as their own. */
@SuppressWarnings("MustBeClosedChecker") // closed in close()
class LentMemoryFileSystemTest extends ClusterContract {
  private static final long BUDGET = 64 << 20;
  private static final DeviceLimits LIMITS =
      new DeviceLimits("fake", 0, "none", Atomics.GLOBAL, 1 << 20, BUDGET, 16, 16, 16, 0, 0, false);

  private final FakeRegions buffers = new FakeRegions();
  private final AtomicInteger registrations = new AtomicInteger();
  private final Path directory;
  private final LentMemory memory;
  private final TestService service;
  private final RegionFileSystem one;
  private final RegionFileSystem two;

  LentMemoryFileSystemTest() throws IOException {
    directory = java.nio.file.Files.createTempDirectory(Path.of("/dev/shm"), "regionfs-test-");
    memory =
        LentMemory.open(
            new LentMemoryOptions(directory, BUDGET, BUDGET),
            fabric(),
            TestService.loopback(0),
            buffers::newBuffer);
    service = new TestService(new LocalTransport());
    one = node(memory, 1);
    two = node(memory, 2);
  }

  private RegionFileSystem node(Regions regions, int number) {
    return new RegionFileSystem(
        service.metadata(number), regions, service.id(number), new FsOptions("none"));
  }

  /** Registers memory and says what it is, and no more. */
  private Fabric fabric() {
    return (Fabric)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Fabric.class},
            (proxy, method, args) ->
                switch (method.getName()) {
                  case "register" -> registered((Long) args[0], (Long) args[1]);
                  case "limits" -> LIMITS;
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  private RegisteredMemory registered(long address, long length) {
    int key = registrations.incrementAndGet();
    return new RegisteredMemory() {
      @Override
      public long address() {
        return address;
      }

      @Override
      public long length() {
        return length;
      }

      @Override
      public int localKey() {
        return key;
      }

      @Override
      public int remoteKey() {
        return key;
      }

      @Override
      public void close() {
        registrations.decrementAndGet();
      }
    };
  }

  @Override
  RegionFileSystem node(int number) {
    return number == 1 ? one : two;
  }

  @Override
  boolean hasRegion(InodeId inode) {
    return refusal(() -> memory.stat(inode, service.id(1))).isEmpty();
  }

  @Override
  void expire(int number) {
    service.rejoin(number);
  }

  @AfterEach
  void close() throws IOException {
    one.close();
    two.close();
    service.close();
    memory.close();
    assertThat(registrations).hasValue(0);
    assertThat(buffers.buffers).hasValue(0);
    try (DirectoryStream<Path> left = java.nio.file.Files.newDirectoryStream(directory)) {
      for (Path file : left) {
        java.nio.file.Files.delete(file);
      }
    }
    java.nio.file.Files.delete(directory);
  }

  @Test
  void aFullHomeRefusesAndGivesBackWhatIsRemoved() {
    Files files = new Files(one);
    FileSystem.Created full = files.create("full");
    try (OpenFile file = full.file()) {
      assertThat(refusal(() -> file.allocate(FallocateMode.ALLOCATE, 0, BUDGET * 2)))
          .contains(Errno.ENOSPC);
      file.allocate(FallocateMode.ALLOCATE, 0, BUDGET / 2);
      assertThat(files.lookup("full").allocatedBytes()).isEqualTo(BUDGET / 2);
      fileSystem().setAttributes(full.attributes().inode(), Files.size(0));
      assertThat(files.lookup("full").allocatedBytes()).isZero();
    }
    for (int i = 0; i < 4; i++) {
      try (OpenFile file = files.create("again").file()) {
        file.allocate(FallocateMode.ALLOCATE, 0, BUDGET);
        files.unlink("again");
      }
    }
    assertThat(memory.status().allocatedBytes()).isZero();
  }
}
