package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.data.Region;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Times of regions at a home whose clock jumps. */
@SuppressWarnings("MustBeClosedChecker") // closed in close()
class RegionTimesTest {
  private static final NodeId HOME = new NodeId(1);
  private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");
  private static final Instant ONE = NOON.plus(Duration.ofHours(1));

  private final FakeFabric fabric = new FakeFabric();
  private final HeapBuffer buffer = new HeapBuffer(100);
  private final Path directory;
  private final LentMemory memory;
  private final Region region;
  private volatile Instant clock = NOON;

  RegionTimesTest() throws IOException {
    directory = LentMemoryFixture.newDirectory();
    LentMemoryOptions options = new LentMemoryOptions(directory, 1 << 20, 1 << 20);
    memory = LentMemory.open(options, fabric, LentMemoryFixture.SELF, HeapBuffer::new, () -> clock);
    region = memory.open(new InodeId(5), HOME, true);
  }

  @AfterEach
  void close() throws IOException {
    buffer.close();
    memory.close();
    LentMemoryFixture.delete(directory);
  }

  private RegionStat written() {
    region.write(0, buffer, 0, 10);
    return region.stat();
  }

  @Test
  void timesGoOnFromTheLastWhenTheClockIsSetBack() {
    clock = ONE;
    assertThat(written().mtime()).isEqualTo(ONE);
    clock = NOON;
    RegionStat next = written();
    assertThat(next.mtime()).isEqualTo(ONE.plusNanos(1)).isEqualTo(next.ctime());
    region.truncate(3);
    assertThat(region.stat().mtime()).isEqualTo(ONE.plusNanos(2));
    region.setModified(NOON);
    assertThat(region.stat().mtime()).as("as it was set").isEqualTo(NOON);
    assertThat(region.stat().ctime()).isEqualTo(ONE.plusNanos(3));
    clock = ONE.plusSeconds(1);
    assertThat(written().mtime()).isEqualTo(clock);
  }

  @Test
  void aTimeThatWasSetAheadDoesNotDragTheClock() {
    region.setModified(ONE);
    assertThat(written().mtime()).isEqualTo(NOON.plusNanos(2));
    clock = NOON.plusSeconds(1);
    assertThat(written().mtime()).isEqualTo(clock);
  }

  @Test
  void aHomeBehindTheServiceGoesOnFromItsTime() {
    region.noEarlierThan(ONE);
    assertThat(region.stat().mtime()).isEqualTo(NOON);
    assertThat(written().mtime()).isEqualTo(ONE.plusNanos(1));
    region.noEarlierThan(NOON);
    assertThat(written().mtime()).isEqualTo(ONE.plusNanos(2));
  }
}
