package io.regionfs.fs;

import static io.regionfs.fs.Files.O_RDWR;
import static io.regionfs.fs.Files.O_TRUNC;
import static io.regionfs.fs.Files.O_WRONLY;
import static io.regionfs.fs.Files.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.data.BackingFile;
import io.regionfs.data.Regions;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import io.regionfs.region.LentMemory;
import io.regionfs.region.LentMemoryOptions;
import io.regionfs.rpc.local.LocalTransport;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.RegisteredMemory;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** On real lent memory, which both nodes reach as their own. */
@SuppressWarnings("MustBeClosedChecker") // closed in close()
class LentMemoryFileSystemTest extends SharedPagesContract {
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
        service.metadata(number),
        regions,
        service.id(number),
        new FsOptions("none", true, Coherence.OPEN, TWIN_BYTES, Lifetime.FILE));
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

  /** What the kernel does with the file that it was given. */
  private static void kernelWrites(BackingFile file, long offset, byte[] data) {
    long address = Memory.allocate(data.length);
    Memory.put(address, data, 0, data.length);
    assertThat(LibC.INSTANCE.pwrite(file.descriptor(), address, data.length, offset))
        .isEqualTo(data.length);
    Memory.free(address);
  }

  private static BackingFile backing(OpenFile file) {
    return Objects.requireNonNull(file.backing());
  }

  @Test
  void whatTheKernelWritesItselfIsTheFile() {
    one.passThroughUsable(true);
    Files files = new Files(one);
    FileSystem.Created made = files.create("passed");
    InodeId inode = made.attributes().inode();
    byte[] data = "written by the kernel".getBytes(StandardCharsets.UTF_8);
    try (OpenFile file = made.file();
        OpenFile again = one.open(inode, 0, Files.CALLER)) {
      kernelWrites(backing(file), 5000, data);
      assertThat(again.backing()).isSameAs(file.backing());
      assertThat(one.attributes(inode).size()).isEqualTo(5000 + data.length);
      assertThat(two.attributes(inode).size()).isEqualTo(5000 + data.length);
      one.setAttributes(inode, Files.size(5004));
      assertThat(one.attributes(inode).size()).isEqualTo(5004);
      try (OpenFile truncating = one.open(inode, O_TRUNC | O_WRONLY, Files.CALLER)) {
        assertThat(truncating.backing()).isSameAs(file.backing());
      }
      kernelWrites(backing(file), 7, data);
    }
    Attributes closed = two.attributes(inode);
    assertThat(closed.size()).isEqualTo(7 + data.length);
    assertThat(closed.atHome()).isFalse();
    assertThat(memory.status().allocatedBytes()).isEqualTo(4096);
  }

  @Test
  void whoeverHasAFileOpenDecidesForAll() {
    Files files = new Files(one);
    FileSystem.Created made = files.create("served");
    InodeId inode = made.attributes().inode();
    try (OpenFile first = made.file()) {
      assertThat(first.backing()).isNull();
      one.passThroughUsable(true);
      try (OpenFile second = one.open(inode, O_RDWR, Files.CALLER)) {
        assertThat(second.backing()).isNull();
      }
    }
    try (OpenFile third = one.open(inode, O_RDWR, Files.CALLER)) {
      assertThat(third.backing()).isNotNull();
      one.passThroughUsable(false);
      try (OpenFile fourth = one.open(inode, 0, Files.CALLER)) {
        assertThat(fourth.backing()).isSameAs(third.backing());
      }
    }
    try (OpenFile fifth = one.open(inode, O_RDWR, Files.CALLER)) {
      assertThat(fifth.backing()).isNull();
    }
  }

  @Test
  void onlyTheHomePassesAFileThrough() {
    one.passThroughUsable(true);
    two.passThroughUsable(true);
    FileSystem.Created made = new Files(one).create("elsewhere");
    try (OpenFile here = made.file();
        OpenFile there = two.open(made.attributes().inode(), O_RDWR, Files.CALLER)) {
      assertThat(there.backing()).isNull();
      assertThat(here.backing()).isNotNull();
    }
  }

  @Test
  void aReadByTheKernelIsAnAccess() {
    one.passThroughUsable(true);
    FileSystem.Created made = new Files(one).create("read");
    InodeId inode = made.attributes().inode();
    try (OpenFile file = made.file()) {
      kernelWrites(backing(file), 0, new byte[100]);
    }
    Attributes before = two.attributes(inode);
    try (OpenFile file = one.open(inode, 0, Files.CALLER)) {
      long address = Memory.allocate(100);
      assertThat(LibC.INSTANCE.pread(backing(file).descriptor(), address, 100, 0)).isEqualTo(100);
      Memory.free(address);
    }
    one.close(); // it may linger
    assertThat(two.attributes(inode).atime()).isAfter(before.atime());
    assertThat(two.attributes(inode).mtime()).isEqualTo(before.mtime());
  }
}
