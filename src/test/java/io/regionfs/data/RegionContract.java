package io.regionfs.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What every way to a region's bytes must do, at home or from elsewhere. A subclass makes a home
 * and a way to it; everything of its own it cleans up itself, after {@link #closeRegions}.
 */
@SuppressWarnings({"MustBeClosedChecker", "NullAway.Init"}) // the contract closes in closeRegions
public abstract class RegionContract {
  static final int KIB = 1 << 10;
  static final int MIB = 1 << 20;

  private final AtomicLong nextInode = new AtomicLong(100);
  private boolean started;
  Regions regions;
  RegionBytes bytes;

  /**
   * A home that lends so much memory, and the regions as the tested side reaches them. Called once
   * or twice per test; what it returned before is closed by then.
   */
  protected abstract Regions start(long capacityBytes) throws Exception;

  /** The most memory that a hole costs up to which a truncation extends the file. */
  protected long bytesOfHoleAtEnd() {
    return 0;
  }

  /** The home's id. */
  protected abstract NodeId home();

  @BeforeEach
  void startRegions() throws Exception {
    restart(256L * MIB);
  }

  final void restart(long capacityBytes) throws Exception {
    closeRegions();
    regions = start(capacityBytes);
    bytes = new RegionBytes(regions);
    started = true;
  }

  @AfterEach
  void closeRegions() {
    if (started) {
      bytes.close();
      regions.close();
      started = false;
    }
  }

  @Test
  void someBytesOfPagesAreWrittenAndNothingElse() {
    try (Region region = newRegion()) {
      byte[] expected = RegionBytes.pattern(3 * 4096, 1);
      bytes.write(region, 0, expected);
      byte[] pages = RegionBytes.pattern(2 * 4096, 2);
      bytes.overwrite(region, 4096, pages, 0, 1, 7, 9, 4095, 4097, 8191, 8192);
      for (int[] run : new int[][] {{0, 1}, {7, 9}, {4095, 4097}, {8191, 8192}}) {
        System.arraycopy(pages, run[0], expected, 4096 + run[0], run[1] - run[0]);
      }
      assertThat(bytes.read(region, 0, 4 * 4096)).isEqualTo(expected);
    }
  }

  @Test
  void bytesOfPagesBeyondTheEndAreLeftOutAndTheEndStays() {
    try (Region region = newRegion()) {
      bytes.write(region, 0, new byte[100]);
      byte[] page = RegionBytes.pattern(4096, 3);
      bytes.overwrite(region, 0, page, 50, 60, 90, 110, 200, 4096);
      assertThat(region.stat().size()).isEqualTo(100);
      bytes.overwrite(region, 4096, page, 0, 4096);
      assertThat(region.stat().size()).isEqualTo(100);
      region.truncate(2 * 4096);
      byte[] expected = new byte[2 * 4096];
      System.arraycopy(page, 50, expected, 50, 10);
      System.arraycopy(page, 90, expected, 90, 10);
      assertThat(bytes.read(region, 0, 2 * 4096)).isEqualTo(expected);
    }
  }

  @Test
  void bytesOfPagesInAHoleTakeMemoryForThemAlone() {
    try (Region region = newRegion()) {
      region.truncate(64 * MIB);
      byte[] page = RegionBytes.pattern(4096, 4);
      bytes.overwrite(region, 32 * MIB, page, 10, 20);
      byte[] expected = new byte[4096];
      System.arraycopy(page, 10, expected, 10, 10);
      assertThat(bytes.read(region, 32 * MIB, 4096)).isEqualTo(expected);
      assertThat(region.stat().allocatedBytes()).isLessThan(MIB);
    }
  }

  @Test
  void bytesOfPagesForWhichThereIsNoMemoryAreRefused() throws Exception {
    restart(MIB);
    try (Region region = newRegion()) {
      bytes.write(region, 0, RegionBytes.pattern(MIB - 4096, 5));
      region.truncate(8 * MIB);
      refuses(
          Errno.ENOSPC,
          () -> {
            for (int at = 2 * MIB; at < 6 * MIB; at += 4096) {
              bytes.overwrite(region, at, RegionBytes.pattern(4096, 6), 0, 1);
            }
          });
    }
  }

  @Test
  void bytesOfPagesChangeTheTimes() {
    try (Region region = newRegion()) {
      bytes.write(region, 0, new byte[4096]);
      region.setModified(Instant.EPOCH);
      bytes.overwrite(region, 0, new byte[4096], 0, 1);
      assertThat(region.stat().mtime()).isAfter(Instant.EPOCH);
    }
  }

  final InodeId newInode() {
    return new InodeId(nextInode.getAndIncrement());
  }

  final Region newRegion() {
    return regions.open(newInode(), home(), true);
  }

  static void refuses(Errno errno, Runnable operation) {
    assertThatThrownBy(operation::run).hasMessageContaining(errno.name() + ":");
  }

  @Test
  void aNewRegionIsEmpty() {
    try (Region region = newRegion()) {
      assertThat(bytes.read(region, 0, 100)).isEmpty();
      assertThat(bytes.read(region, 1L << 40, 100)).isEmpty();
      assertThat(region.stat().size()).isZero();
      assertThat(region.stat().allocatedBytes()).isZero();
    }
  }

  @Test
  void whatIsWrittenIsRead() {
    for (int length : new int[] {1, 7, 4096, 5000, 64 * KIB, MIB}) {
      for (long offset : new long[] {0, 1, 4095, 123_457, 3L * MIB - 1}) {
        try (Region region = newRegion()) {
          byte[] data = RegionBytes.pattern(length, length + offset);
          bytes.write(region, offset, data);
          assertThat(bytes.read(region, offset, length))
              .as("%d at %d", length, offset)
              .isEqualTo(data);
          assertThat(region.stat().size()).isEqualTo(offset + length);
          assertThat(region.stat().allocatedBytes()).isGreaterThanOrEqualTo(length);
        }
      }
    }
  }

  @Test
  void aReadEndsAtTheEndOfTheFile() {
    try (Region region = newRegion()) {
      byte[] data = RegionBytes.pattern(5000, 1);
      bytes.write(region, 0, data);
      assertThat(bytes.read(region, 0, MIB)).isEqualTo(data);
      assertThat(bytes.read(region, 4000, MIB)).isEqualTo(Arrays.copyOfRange(data, 4000, 5000));
      assertThat(bytes.read(region, 4999, 2)).hasSize(1);
      assertThat(bytes.read(region, 5000, 1)).isEmpty();
      assertThat(bytes.read(region, 5001, 1)).isEmpty();
    }
  }

  @Test
  void anOverwriteKeepsTheSizeAndTheRest() {
    try (Region region = newRegion()) {
      byte[] expected = RegionBytes.pattern(200_000, 2);
      bytes.write(region, 0, expected);
      byte[] patch = RegionBytes.pattern(70_000, 3);
      bytes.write(region, 50_001, patch);
      System.arraycopy(patch, 0, expected, 50_001, patch.length);
      assertThat(bytes.read(region, 0, 300_000)).isEqualTo(expected);
    }
  }

  @Test
  void holesAreZeros() {
    try (Region region = newRegion()) {
      bytes.write(region, 10L * MIB + 5, new byte[] {1, 2, 3});
      assertThat(bytes.read(region, 0, MIB)).isEqualTo(new byte[MIB]);
      assertThat(bytes.read(region, 10L * MIB, 100)).isEqualTo(new byte[] {0, 0, 0, 0, 0, 1, 2, 3});
      byte[] across = bytes.read(region, 10L * MIB - 500_000, MIB);
      assertThat(across).hasSize(500_008).startsWith(new byte[1000]).endsWith(1, 2, 3);
      bytes.write(region, 0, new byte[] {9});
      assertThat(bytes.read(region, 0, 3)).isEqualTo(new byte[] {9, 0, 0});
    }
  }

  @Test
  void aTebibyteOfHoleCostsNothing() {
    try (Region region = newRegion()) {
      region.truncate(1L << 40);
      assertThat(region.stat().size()).isEqualTo(1L << 40);
      assertThat(region.stat().allocatedBytes()).isLessThanOrEqualTo(bytesOfHoleAtEnd());
      bytes.write(region, (1L << 40) - 2, new byte[] {5, 6, 7});
      assertThat(bytes.read(region, (1L << 40) - 3, 10)).isEqualTo(new byte[] {0, 5, 6, 7});
      assertThat(bytes.read(region, 1L << 39, 10)).isEqualTo(new byte[10]);
    }
  }

  @Test
  void whatWasCutOffReadsAsZerosWhenItGrowsAgain() {
    try (Region region = newRegion()) {
      bytes.write(region, 0, RegionBytes.pattern(3 * MIB, 4));
      byte[] kept = bytes.read(region, 0, 70_001);
      region.truncate(70_001);
      assertThat(region.stat().size()).isEqualTo(70_001);
      assertThat(bytes.read(region, 0, MIB)).isEqualTo(kept);
      region.truncate(3L * MIB);
      assertThat(bytes.read(region, 0, MIB)).isEqualTo(Arrays.copyOf(kept, MIB));
      assertThat(bytes.read(region, 2L * MIB, MIB)).isEqualTo(new byte[MIB]);
      region.truncate(70_001);
      bytes.write(region, 72_000, new byte[] {8});
      byte[] tail = new byte[2000];
      tail[1999] = 8;
      assertThat(bytes.read(region, 70_001, MIB)).isEqualTo(tail);
    }
  }

  @Test
  void aShrinkGivesMemoryBack() {
    try (Region region = newRegion()) {
      bytes.write(region, 0, RegionBytes.pattern(8 * MIB, 5));
      assertThat(region.stat().allocatedBytes()).isGreaterThanOrEqualTo(8 * MIB);
      region.truncate(0);
      assertThat(region.stat().allocatedBytes()).isZero();
      assertThat(bytes.read(region, 0, 100)).isEmpty();
    }
  }

  @Test
  void aPunchedHoleReadsAsZerosAndKeepsTheSize() {
    try (Region region = newRegion()) {
      byte[] expected = RegionBytes.pattern(4 * MIB, 6);
      bytes.write(region, 0, expected);
      long held = region.stat().allocatedBytes();
      region.allocate(FallocateMode.PUNCH_HOLE, 100_001, 3L * MIB);
      Arrays.fill(expected, 100_001, 100_001 + 3 * MIB, (byte) 0);
      assertThat(bytes.read(region, 0, 4 * MIB)).isEqualTo(expected);
      assertThat(region.stat().size()).isEqualTo(4L * MIB);
      assertThat(region.stat().allocatedBytes()).isLessThan(held);
      bytes.write(region, MIB, new byte[] {1, 1});
      expected[MIB] = 1;
      expected[MIB + 1] = 1;
      assertThat(bytes.read(region, 0, 4 * MIB)).isEqualTo(expected);
      region.allocate(FallocateMode.PUNCH_HOLE, 3L * MIB, 100L * MIB);
      Arrays.fill(expected, 3 * MIB, 4 * MIB, (byte) 0);
      assertThat(bytes.read(region, 0, 8 * MIB)).isEqualTo(expected);
    }
  }

  @Test
  void allocatedMemoryIsZerosAndKeepsWhatIsThere() {
    try (Region region = newRegion()) {
      bytes.write(region, 0, new byte[] {1, 2, 3});
      region.allocate(FallocateMode.ALLOCATE_KEEP_SIZE, 0, 2L * MIB);
      assertThat(region.stat().size()).isEqualTo(3);
      assertThat(region.stat().allocatedBytes()).isGreaterThanOrEqualTo(2L * MIB);
      region.allocate(FallocateMode.ALLOCATE, 0, 2L * MIB);
      assertThat(region.stat().size()).isEqualTo(2L * MIB);
      byte[] expected = new byte[2 * MIB];
      System.arraycopy(new byte[] {1, 2, 3}, 0, expected, 0, 3);
      assertThat(bytes.read(region, 0, 4 * MIB)).isEqualTo(expected);
    }
  }

  @Test
  void aZeroedRangeIsZeros() {
    try (Region region = newRegion()) {
      byte[] expected = RegionBytes.pattern(MIB, 7);
      bytes.write(region, 0, expected);
      region.allocate(FallocateMode.ZERO_RANGE_KEEP_SIZE, MIB - 1000, 5000);
      Arrays.fill(expected, MIB - 1000, MIB, (byte) 0);
      assertThat(bytes.read(region, 0, 2 * MIB)).isEqualTo(expected);
      region.allocate(FallocateMode.ZERO_RANGE, 10_001, 2L * MIB);
      expected = Arrays.copyOf(Arrays.copyOf(expected, 10_001), 10_001 + 2 * MIB);
      assertThat(bytes.read(region, 0, 4 * MIB)).isEqualTo(expected);
    }
  }

  @Test
  void seekFindsDataAndHoles() {
    try (Region region = newRegion()) {
      region.truncate(16L * MIB);
      refuses(Errno.ENXIO, () -> region.seek(0, false));
      assertThat(region.seek(5, true)).isEqualTo(5);
      bytes.write(region, 8L * MIB, new byte[] {1});
      assertThat(region.seek(8L * MIB, false)).isEqualTo(8L * MIB);
      assertThat(region.seek(MIB, false)).isBetween((long) MIB, 8L * MIB);
      assertThat(region.seek(8L * MIB, true)).isBetween(8L * MIB + 1, 16L * MIB);
      refuses(Errno.ENXIO, () -> region.seek(16L * MIB, false));
      refuses(Errno.ENXIO, () -> region.seek(16L * MIB, true));
      refuses(Errno.ENXIO, () -> region.seek(1L << 40, true));
    }
    try (Region full = newRegion()) {
      bytes.write(full, 0, RegionBytes.pattern(100_000, 8));
      assertThat(full.seek(7, true)).isEqualTo(100_000);
      assertThat(full.seek(7, false)).isEqualTo(7);
    }
  }

  /** As if this host's clock, and the home's, had been set back by an hour. */
  @Test
  void timesNeverRunBackwardsWhateverTheClocksSay() {
    Instant ahead = Instant.now().plusSeconds(3600);
    Instant past = Instant.parse("1969-07-20T20:17:40.123456789Z");
    try (Region region = newRegion()) {
      bytes.write(region, 0, new byte[10]);
      region.noEarlierThan(ahead);
      List<Runnable> changes =
          List.of(
              () -> bytes.write(region, 0, new byte[10]),
              () -> bytes.write(region, 5, new byte[10]),
              () -> region.truncate(3),
              () -> bytes.write(region, 100, new byte[10]),
              () -> region.allocate(FallocateMode.ALLOCATE, 0, 1000),
              () -> region.setModified(past),
              () -> bytes.write(region, 0, new byte[5]));
      Instant last = ahead;
      for (Runnable change : changes) {
        change.run();
        RegionStat now = region.stat();
        assertThat(now.ctime()).isAfter(last).isBefore(ahead.plusSeconds(1));
        assertThat(now.mtime()).isIn(now.ctime(), past);
        last = now.ctime();
      }
      assertThat(region.stat().mtime()).as("set to any value, until it is changed").isEqualTo(last);
    }
  }

  @Test
  void timesFollowChanges() {
    Instant before = Instant.now();
    try (Region region = newRegion()) {
      bytes.write(region, 0, new byte[10]);
      RegionStat written = region.stat();
      assertThat(written.mtime()).isBetween(before, Instant.now());
      assertThat(written.ctime()).isBetween(before, Instant.now());
      Instant past = Instant.parse("1969-07-20T20:17:40.123456789Z");
      region.setModified(past);
      RegionStat set = region.stat();
      assertThat(set.mtime()).isEqualTo(past);
      assertThat(set.ctime()).isAfterOrEqualTo(written.ctime());
      assertThat(bytes.read(region, 0, 10)).hasSize(10);
      assertThat(region.stat()).isEqualTo(set);
      bytes.write(region, 0, new byte[5]);
      assertThat(region.stat().mtime()).isAfterOrEqualTo(written.mtime());
      region.setModified(past);
      region.truncate(3);
      assertThat(region.stat().mtime()).isAfterOrEqualTo(written.mtime());
    }
  }

  @Test
  void impossibleRangesAreRefused() {
    try (Region region = newRegion()) {
      refuses(Errno.EINVAL, () -> bytes.read(region, -1, 10));
      refuses(Errno.EINVAL, () -> bytes.write(region, -1, new byte[10]));
      refuses(Errno.EINVAL, () -> region.truncate(-1));
      refuses(Errno.EINVAL, () -> region.allocate(FallocateMode.ALLOCATE, -1, 10));
      refuses(Errno.EINVAL, () -> region.allocate(FallocateMode.ALLOCATE, 0, 0));
      refuses(Errno.EFBIG, () -> bytes.write(region, Region.MAX_SIZE, new byte[10]));
      refuses(Errno.EFBIG, () -> bytes.write(region, Region.MAX_SIZE - 5, new byte[10]));
      refuses(Errno.EFBIG, () -> bytes.write(region, Long.MAX_VALUE - 5, new byte[10]));
      refuses(Errno.EFBIG, () -> region.truncate(Region.MAX_SIZE));
      refuses(Errno.EFBIG, () -> region.allocate(FallocateMode.ALLOCATE, 1, Long.MAX_VALUE - 1));
      assertThat(bytes.read(region, Long.MAX_VALUE - 5, 10)).isEmpty();
      assertThat(region.stat().size()).isZero();
    }
  }

  @Test
  void aFullHomeRefusesAndForgetsNothing() throws Exception {
    restart(8L * MIB);
    try (Region kept = newRegion();
        Region big = newRegion()) {
      byte[] data = RegionBytes.pattern(MIB, 9);
      bytes.write(kept, 0, data);
      refuses(
          Errno.ENOSPC,
          () -> {
            for (int i = 0; i < 16; i++) {
              bytes.write(big, (long) i * MIB, RegionBytes.pattern(MIB, i));
            }
          });
      long size = big.stat().size();
      assertThat(size).isBetween(4L * MIB, 7L * MIB);
      for (int i = 0; i < size / MIB; i++) {
        assertThat(bytes.read(big, (long) i * MIB, MIB)).isEqualTo(RegionBytes.pattern(MIB, i));
      }
      assertThat(bytes.read(kept, 0, 2 * MIB)).isEqualTo(data);
      bytes.write(big, 0, data);
      refuses(Errno.ENOSPC, () -> kept.allocate(FallocateMode.ALLOCATE, 0, 100L * MIB));
      assertThat(kept.stat().size()).isEqualTo(MIB);
      big.truncate(0);
      bytes.write(kept, MIB, RegionBytes.pattern(4 * MIB, 10));
      assertThat(bytes.read(kept, MIB, 8 * MIB)).isEqualTo(RegionBytes.pattern(4 * MIB, 10));
    }
  }

  @Test
  void aRegionOutlivesItsOpenAndIsSeenByEveryOpen() {
    InodeId inode = newInode();
    byte[] data = RegionBytes.pattern(100_000, 11);
    try (Region writer = regions.open(inode, home(), true);
        Region reader = regions.open(inode, home(), true)) {
      assertThat(bytes.read(reader, 0, 10)).isEmpty();
      bytes.write(writer, 0, data);
      assertThat(bytes.read(reader, 0, MIB)).isEqualTo(data);
      bytes.write(reader, 100_000, new byte[] {1});
      assertThat(bytes.read(writer, 99_999, 10)).hasSize(2).endsWith(1);
      writer.truncate(10);
      assertThat(bytes.read(reader, 0, 100)).hasSize(10);
      bytes.write(writer, 0, data);
    }
    assertThat(regions.stat(inode, home()).size()).isEqualTo(100_000);
    try (Region again = regions.open(inode, home(), false)) {
      assertThat(bytes.read(again, 0, MIB)).isEqualTo(data);
      assertThat(again.stat()).isEqualTo(regions.stat(inode, home()));
    }
  }

  @Test
  void aMissingRegionIsLost() {
    refuses(
        Errno.EIO,
        () -> {
          try (Region lost = regions.open(newInode(), home(), false)) {
            bytes.read(lost, 0, 10);
          }
        });
  }

  @Test
  void aDroppedRegionIsGone() {
    InodeId inode = newInode();
    try (Region region = regions.open(inode, home(), true)) {
      bytes.write(region, 0, new byte[100]);
    }
    regions.drop(inode, home());
    refuses(
        Errno.EIO,
        () -> {
          try (Region gone = regions.open(inode, home(), false)) {
            bytes.read(gone, 0, 10);
          }
        });
  }
}
