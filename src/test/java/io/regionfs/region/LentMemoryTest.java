package io.regionfs.region;

import static io.regionfs.region.LentMemoryFixture.HOME;
import static io.regionfs.region.LentMemoryFixture.pattern;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.data.Region;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.InodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

@SuppressWarnings("MustBeClosedChecker") // local regions hold nothing
class LentMemoryTest {
  private static final int MIB = 1 << 20;

  @Test
  void aRestartFindsRegionsBytesSizesAndHoles() throws IOException {
    try (LentMemoryFixture host = new LentMemoryFixture(64 * MIB)) {
      Region region = host.open(7);
      byte[] head = pattern(10_000, 1);
      byte[] tail = pattern(5000, 2);
      host.write(region, 0, head);
      host.write(region, 300L * MIB + 3, tail);
      region.setModified(Instant.parse("2020-02-02T02:02:02.000000002Z"));
      Region empty = host.open(8);
      empty.truncate(1L << 40);
      RegionStat before = region.stat();
      LentStatus statusBefore = host.memory.status();
      long epoch = host.memory.find(new InodeId(7)).slot().epoch();

      host.restart();

      LentStatus status = host.memory.status();
      assertThat(status.generation()).isNotEqualTo(statusBefore.generation());
      assertThat(status.regions()).isEqualTo(2);
      assertThat(status.allocatedBytes()).isEqualTo(statusBefore.allocatedBytes());
      Region again = host.memory.open(new InodeId(7), HOME, false);
      assertThat(again.stat()).isEqualTo(before);
      assertThat((long) host.memory.find(new InodeId(7)).slot().epoch()).isEqualTo(epoch);
      assertThat(host.read(again, 0, 10_000)).isEqualTo(head);
      assertThat(host.read(again, 300L * MIB + 3, 10_000)).isEqualTo(tail);
      assertThat(host.read(again, MIB, 4096)).isEqualTo(new byte[4096]);
      assertThat(host.memory.status().allocatedBytes()).isEqualTo(status.allocatedBytes());
      assertThat(host.memory.stat(new InodeId(8), HOME).size()).isEqualTo(1L << 40);
      host.write(again, MIB, head);
      assertThat(host.read(again, MIB, 10_000)).isEqualTo(head);
    }
  }

  @Test
  void memoryThatWasReservedAndNeverWrittenIsFoundAgain() throws Exception {
    try (LentMemoryFixture host = new LentMemoryFixture(64 * MIB)) {
      host.open(7).allocate(FallocateMode.ALLOCATE, 0, 5L * MIB);
      host.restart();
      Region again = host.memory.open(new InodeId(7), HOME, false);
      assertThat(host.read(again, 0, MIB)).isEqualTo(new byte[MIB]);
      assertThat(again.stat().allocatedBytes()).isEqualTo(5L * MIB);
      assertThat(host.bytesOnTmpfs(7)).isEqualTo(5L * MIB);
      again.truncate(0);
      assertThat(host.memory.status().allocatedBytes()).isZero();
    }
  }

  @Test
  void whatACrashLeftHalfDoneIsCleanedUp() throws IOException {
    try (LentMemoryFixture host = new LentMemoryFixture(64 * MIB)) {
      host.write(host.open(1), 0, pattern(100, 1));
      host.write(host.open(2), 0, pattern(100, 2));
      // The slot of 1 without its file, and a file without a slot.
      Path file = host.directory.resolve("0000000000000001");
      Files.move(file, host.directory.resolve("00000000000000ff"));
      Files.writeString(host.directory.resolve("notes"), "not a region");

      host.restart();

      assertThat(host.directory.resolve("00000000000000ff")).doesNotExist();
      assertThat(host.directory.resolve("notes")).exists();
      assertThat(host.memory.status().regions()).isEqualTo(1);
      assertThatThrownBy(() -> host.memory.open(new InodeId(1), HOME, false))
          .hasMessageContaining("EIO: region 1 is lost");
      assertThat(host.read(host.open(2), 0, 1000)).isEqualTo(pattern(100, 2));
    }
  }

  @Test
  void theDirectoryBelongsToOneAtATime() throws IOException {
    try (LentMemoryFixture host = new LentMemoryFixture(MIB)) {
      LentMemoryOptions options = new LentMemoryOptions(host.directory, MIB, MIB);
      assertThatThrownBy(
              () -> LentMemory.open(options, host.fabric, LentMemoryFixture.SELF, HeapBuffer::new))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("in use by another node");
      assertThat(MemoryDirectory.delete(host.directory)).isFalse();
      host.write(host.open(1), 0, pattern(100, 1));
    }
  }

  @Test
  void directoriesOfGoneClustersAreDeleted() throws IOException {
    Path base = LentMemoryFixture.newDirectory();
    FakeFabric fabric = new FakeFabric();
    for (String name : List.of("old", "kept", "busy")) {
      LentMemoryOptions options = new LentMemoryOptions(base.resolve(name), MIB, MIB);
      LentMemory.open(options, fabric, LentMemoryFixture.SELF, HeapBuffer::new).close();
    }
    Files.createDirectory(base.resolve("foreign"));
    LentMemoryOptions options = new LentMemoryOptions(base.resolve("busy"), MIB, MIB);
    try (LentMemory busy =
        LentMemory.open(options, fabric, LentMemoryFixture.SELF, HeapBuffer::new)) {
      assertThat(MemoryDirectory.deleteOthers(base, "kept")).isEqualTo(1);
      assertThat(busy.status().regions()).isZero();
    }
    assertThat(base.resolve("old")).doesNotExist();
    assertThat(base.resolve("foreign")).exists();
    assertThat(MemoryDirectory.deleteOthers(base, "none")).isEqualTo(2);
    Files.delete(base.resolve("foreign"));
    Files.delete(base);
    assertThat(MemoryDirectory.deleteOthers(base, "none")).isZero();
  }

  @Test
  void aFullBudgetHasRoomAgainAfterADrop() throws IOException {
    try (LentMemoryFixture host = new LentMemoryFixture(2 * MIB)) {
      Region first = host.open(1);
      Region second = host.open(2);
      host.write(first, 0, pattern(MIB, 1));
      host.write(second, 0, pattern(MIB, 2));
      assertThatThrownBy(() -> host.write(second, MIB, new byte[1]))
          .hasMessageContaining("ENOSPC:");
      assertThat(second.stat().size()).isEqualTo(MIB);
      assertThat(second.stat().allocatedBytes()).isEqualTo(MIB);
      host.memory.drop(new InodeId(1));
      assertThat(host.memory.status().allocatedBytes()).isEqualTo(MIB);
      assertThatThrownBy(() -> host.read(first, 0, 1)).hasMessageContaining("EIO:");
      assertThatThrownBy(() -> first.setModified(Instant.EPOCH)).hasMessageContaining("EIO:");
      host.write(second, MIB, pattern(MIB, 3));
      assertThat(host.read(second, MIB, MIB)).isEqualTo(pattern(MIB, 3));
      host.memory.drop(new InodeId(1));
    }
  }

  @Test
  void aSlotIsUsedAgainCleanButInALaterEpoch() throws IOException {
    try (LentMemoryFixture host = new LentMemoryFixture(2 * MIB)) {
      host.write(host.open(1), 0, pattern(100, 1));
      RegionSlot slot = host.memory.find(new InodeId(1)).slot();
      int epoch = slot.epoch();
      host.memory.drop(new InodeId(1));
      assertThat(slot.inode().value()).isZero();
      assertThat(slot.size()).isZero();
      assertThat(slot.epoch()).isNotEqualTo(epoch);
    }
  }

  @Test
  void aPunchFreesMemoryOnTmpfs() throws Exception {
    try (LentMemoryFixture host = new LentMemoryFixture(16 * MIB)) {
      Region region = host.open(1);
      for (int i = 0; i < 4; i++) {
        host.write(region, (long) i * MIB, pattern(MIB, i));
      }
      assertThat(host.bytesOnTmpfs(1)).isEqualTo(4L * MIB);
      region.allocate(FallocateMode.PUNCH_HOLE, MIB, 2L * MIB);
      assertThat(host.bytesOnTmpfs(1)).isEqualTo(2L * MIB);
      assertThat(host.read(region, MIB, 2 * MIB)).isEqualTo(new byte[2 * MIB]);
      assertThat(host.bytesOnTmpfs(1)).as("a read of holes allocates nothing").isEqualTo(2L * MIB);
      region.truncate(10);
      assertThat(host.bytesOnTmpfs(1)).isEqualTo(4096);
      assertThat(host.memory.status().allocatedBytes()).isEqualTo(4096);
    }
  }

  @Test
  void mappingsStayWithinTheirLimit() throws IOException {
    try (LentMemoryFixture host = new LentMemoryFixture(16 * MIB, 16 * MIB, 8, 4)) {
      for (int i = 1; i <= 40; i++) {
        host.write(host.open(i), 0, pattern(5000, i));
        host.write(host.open(i), 200L * MIB, pattern(5000, -i));
        assertThat(host.memory.status().mappings()).isLessThanOrEqualTo(4);
      }
      for (int i = 40; i >= 1; i--) {
        assertThat(host.read(host.open(i), 0, 5000)).isEqualTo(pattern(5000, i));
        assertThat(host.read(host.open(i), 200L * MIB, 5000)).isEqualTo(pattern(5000, -i));
      }
      assertThat(host.memory.status().mappings()).isLessThanOrEqualTo(4);
    }
  }

  @Test
  void aPieceInUseIsNotUnmapped() throws IOException {
    try (LentMemoryFixture host = new LentMemoryFixture(16 * MIB, 16 * MIB, 8, 1)) {
      Region region = host.open(1);
      byte[] data = pattern(4096, 1);
      host.write(region, 0, data);
      byte[] seen = new byte[4096];
      try (HeapBuffer other = new HeapBuffer(4096)) {
        region.read(
            0,
            4096,
            host.buffer,
            (address, length) -> {
              for (int i = 2; i < 10; i++) {
                host.open(i).write(0, other, 0, 4096);
              }
              Memory.get(address, seen, 0, length);
            });
      }
      assertThat(seen).isEqualTo(data);
    }
  }
}
