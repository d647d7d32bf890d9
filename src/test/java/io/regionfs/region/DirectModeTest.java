package io.regionfs.region;

import static io.regionfs.region.LentMemoryFixture.HOME;
import static io.regionfs.region.LentMemoryFixture.pattern;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.data.BackingFile;
import io.regionfs.data.Region;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A region whose file the kernel uses itself: what the test does to the descriptor is its part. */
@SuppressWarnings({"MustBeClosedChecker", "NullAway.Init"}) // closed in close()
class DirectModeTest {
  private static final LibC C = LibC.INSTANCE;
  private static final int PAGE = 4096;
  private static final InodeId INODE = new InodeId(5);

  private LentMemoryFixture home;
  private Region region;

  @BeforeEach
  void start() throws IOException {
    home = new LentMemoryFixture(64 << 20);
    region = home.open(INODE.value());
  }

  @AfterEach
  void close() throws IOException {
    home.close();
  }

  private BackingFile begin() {
    return Objects.requireNonNull(region.passThrough());
  }

  private void kernelWrites(BackingFile file, long offset, byte[] data) {
    Memory.put(home.buffer.address(), data, 0, data.length);
    assertThat(C.pwrite(file.descriptor(), home.buffer.address(), data.length, offset))
        .isEqualTo(data.length);
  }

  private byte[] kernelReads(BackingFile file, long offset, int length) {
    long count = C.pread(file.descriptor(), home.buffer.address(), length, offset);
    byte[] data = new byte[(int) count];
    Memory.get(home.buffer.address(), data, 0, data.length);
    return data;
  }

  @Test
  void theFileEndsWhereTheRegionDoes() {
    byte[] data = pattern(10_000, 1);
    home.write(region, 0, data);
    try (BackingFile file = begin()) {
      assertThat(kernelReads(file, 0, 20_000)).isEqualTo(data);
      region.truncate(3);
      assertThat(kernelReads(file, 0, 20_000)).hasSize(3);
      region.truncate(5000);
      assertThat(kernelReads(file, 2, 10))
          .isEqualTo(new byte[] {data[2], 0, 0, 0, 0, 0, 0, 0, 0, 0});
      assertThat(kernelReads(file, 0, 20_000)).hasSize(5000);
      region.allocate(FallocateMode.ALLOCATE, 0, 7000);
      assertThat(kernelReads(file, 0, 20_000)).hasSize(7000);
      region.allocate(FallocateMode.ALLOCATE_KEEP_SIZE, 0, 100_000);
      assertThat(kernelReads(file, 0, 20_000)).hasSize(7000);
      assertThat(region.stat().size()).isEqualTo(7000);
    }
  }

  @Test
  void whatTheKernelDoesIsSeenAtOnceAndAfterwards() {
    byte[] data = pattern(300_000, 2);
    try (BackingFile file = begin()) {
      kernelWrites(file, 777, data);
      assertThat(region.stat().size()).isEqualTo(777 + data.length);
      assertThat(home.read(region, 777, 400_000)).isEqualTo(data);
      assertThat(region.seek(0, true)).isEqualTo(777 + data.length);
      assertThat(home.memory.status().allocatedBytes()).isEqualTo(region.stat().allocatedBytes());
    }
    assertThat(region.stat().size()).isEqualTo(777 + data.length);
    assertThat(home.read(region, 777, 400_000)).isEqualTo(data);
    assertThat(home.memory.status().allocatedBytes()).isEqualTo(Pages.up(777 + data.length));
  }

  @Test
  void storesOfAMappingAreTheRegions() {
    home.write(region, 0, new byte[] {1});
    region.truncate(3L * PAGE);
    try (BackingFile file = begin()) {
      int protection = LibC.PROT_READ | LibC.PROT_WRITE;
      long address = C.mmap(0, 3L * PAGE, protection, LibC.MAP_SHARED, file.descriptor(), 0);
      assertThat(address).isNotEqualTo(-1);
      Memory.putByte(address + 2L * PAGE + 9, (byte) 7);
      assertThat(home.read(region, 2L * PAGE + 8, 3)).isEqualTo(new byte[] {0, 7, 0});
      home.write(region, 2L * PAGE + 8, new byte[] {5});
      assertThat(Memory.getByte(address + 2L * PAGE + 8)).isEqualTo((byte) 5);
      region.allocate(FallocateMode.PUNCH_HOLE, 2L * PAGE, PAGE);
      assertThat(Memory.getByte(address + 2L * PAGE + 9)).isZero();
      C.munmap(address, 3L * PAGE);
    }
    assertThat(region.stat().allocatedBytes()).isEqualTo(2L * PAGE);
  }

  @Test
  void thereIsOneAtATime() {
    BackingFile first = begin();
    assertThat(region.passThrough()).isNull();
    first.close();
    first.close();
    begin().close();
  }

  @Test
  void aReadIsNoticedButNotThoseOfTheHome() {
    home.write(region, 0, pattern(3 * PAGE, 3));
    try (BackingFile file = begin()) {
      assertThat(home.read(region, 0, PAGE)).hasSize(PAGE);
      assertThat(home.read(region, 2 * PAGE, 3 * PAGE)).hasSize(PAGE);
      assertThat(file.wasRead()).isFalse();
      assertThat(kernelReads(file, 0, 1)).hasSize(1);
      assertThat(file.wasRead()).isTrue();
    }
  }

  @Test
  void timesThatAreSetStayUntilTheKernelWrites() throws InterruptedException {
    Instant longAgo = Instant.parse("2001-02-03T04:05:06Z");
    try (BackingFile file = begin()) {
      kernelWrites(file, 0, new byte[10]);
      Instant before = region.stat().mtime();
      region.setModified(longAgo);
      assertThat(region.stat().mtime()).isEqualTo(longAgo);
      Thread.sleep(20); // tmpfs keeps times to a tick
      kernelWrites(file, 0, new byte[10]);
      assertThat(region.stat().mtime()).isAfter(before);
      region.setModified(longAgo);
    }
    assertThat(region.stat().mtime()).isEqualTo(longAgo);
  }

  @Test
  void reservedMemoryStaysReserved() throws Exception {
    region.allocate(FallocateMode.ALLOCATE_KEEP_SIZE, 0, 10L * PAGE);
    try (BackingFile file = begin()) {
      assertThat(region.stat().allocatedBytes()).isEqualTo(10L * PAGE);
      kernelWrites(file, 0, new byte[] {1});
    }
    assertThat(region.stat().size()).isEqualTo(1);
    assertThat(region.stat().allocatedBytes()).isEqualTo(10L * PAGE);
    assertThat(home.bytesOnTmpfs(INODE.value())).isEqualTo(10L * PAGE);
  }

  @Test
  void aDroppedRegionLeavesTheKernelItsFile() throws Exception {
    home.write(region, 0, pattern(100, 4));
    BackingFile file = begin();
    home.memory.drop(INODE, HOME);
    kernelWrites(file, 50, pattern(100, 5));
    assertThat(kernelReads(file, 0, 1000)).hasSize(150);
    file.close();
    assertThat(home.memory.status().allocatedBytes()).isZero();
    assertThatThrownBy(region::stat).hasMessageContaining("EIO:");
  }

  @Test
  void theBudgetHoldsForWritesOfTheHome() {
    try (BackingFile file = begin()) {
      kernelWrites(file, 0, new byte[1]);
      assertThatThrownBy(() -> region.allocate(FallocateMode.ALLOCATE, 0, 65L << 20))
          .hasMessageContaining("ENOSPC:");
      assertThat(region.stat().size()).isEqualTo(1);
    }
  }

  @Test
  void aHomeThatStopsTakesOverWhatTheKernelDid() throws Exception {
    BackingFile file = begin();
    kernelWrites(file, 5, pattern(9000, 6));
    home.restart();
    file.close();
    region = home.open(INODE.value());
    assertThat(region.stat().size()).isEqualTo(9005);
    assertThat(home.read(region, 5, 10_000)).isEqualTo(pattern(9000, 6));
  }

  @Test
  void aKilledHomeLeavesTheLengthOfTheFile() throws Exception {
    home.write(region, 0, pattern(100, 7));
    Path copy = LentMemoryFixture.newDirectory();
    BackingFile file = begin();
    kernelWrites(file, 50, pattern(20_000, 8));
    // What is there now is what a process that was killed leaves.
    Process cp =
        new ProcessBuilder("cp", "-a", "--sparse=always", home.directory + "/.", copy.toString())
            .inheritIO()
            .start();
    assertThat(cp.waitFor()).isZero();
    file.close();
    LentMemoryOptions options = new LentMemoryOptions(copy, 64 << 20, 64 << 20);
    try (LentMemory found =
            LentMemory.open(options, home.fabric, LentMemoryFixture.SELF, HeapBuffer::new);
        Region again = found.open(INODE, HOME, false)) {
      assertThat(again.stat().size()).isEqualTo(20_050);
      assertThat(again.stat().allocatedBytes()).isEqualTo(Pages.up(20_050));
      assertThat(home.read(again, 50, 30_000)).isEqualTo(pattern(20_000, 8));
      Objects.requireNonNull(again.passThrough()).close();
    } finally {
      LentMemoryFixture.delete(copy);
    }
    assertThat(Files.exists(copy)).isFalse();
  }
}
