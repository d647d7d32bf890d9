package io.regionfs.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.FallocateMode;
import io.regionfs.model.InodeId;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** {@link RegionContract}, and what many threads and many random operations add to it. */
@SuppressWarnings("MustBeClosedChecker")
public abstract class RegionConcurrencyContract extends RegionContract {
  private static final int MODEL_BYTES = 3 * MIB;

  /** Work of one thread, with buffers of its own. */
  interface Work {
    void run(int index, RegionBytes own) throws Exception;
  }

  private void parallel(int threads, Work work) throws Exception {
    Parallel.run(
        threads,
        index -> {
          try (RegionBytes own = new RegionBytes(regions)) {
            work.run(index, own);
          }
        });
  }

  @Test
  void appendsGoToTheEnd() {
    try (Region region = newRegion()) {
      assertThat(bytes.append(region, new byte[] {1, 2})).isEqualTo(0);
      assertThat(bytes.append(region, new byte[] {3})).isEqualTo(2);
      bytes.write(region, 10, new byte[] {4});
      byte[] large = RegionBytes.pattern(MIB, 1);
      assertThat(bytes.append(region, large)).isEqualTo(11);
      assertThat(bytes.append(region, new byte[] {5})).isEqualTo(11 + MIB);
      assertThat(bytes.read(region, 0, 11)).isEqualTo(new byte[] {1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 4});
      assertThat(bytes.read(region, 11, MIB)).isEqualTo(large);
      assertThat(region.stat().size()).isEqualTo(12 + MIB);
    }
  }

  @Test
  void concurrentAppendsLoseAndTearNothing() throws Exception {
    concurrentAppends(100, 60);
  }

  @Test
  void concurrentLargeAppendsLoseAndTearNothing() throws Exception {
    concurrentAppends(40_000, 12);
  }

  private void concurrentAppends(int recordBytes, int records) throws Exception {
    int threads = 4;
    InodeId inode = newInode();
    parallel(
        threads,
        (index, own) -> {
          try (Region region = regions.open(inode, home(), true)) {
            for (int i = 0; i < records; i++) {
              byte[] record = new byte[recordBytes];
              Arrays.fill(record, (byte) (index + 1));
              long offset = own.append(region, record);
              assertThat(offset % recordBytes).isZero();
              assertThat(own.read(region, offset, recordBytes)).isEqualTo(record);
            }
          }
        });
    int[] counts = new int[threads + 1];
    try (Region region = regions.open(inode, home(), true)) {
      assertThat(region.stat().size()).isEqualTo((long) threads * records * recordBytes);
      for (int i = 0; i < threads * records; i++) {
        byte[] record = bytes.read(region, (long) i * recordBytes, recordBytes);
        byte[] whole = new byte[recordBytes];
        Arrays.fill(whole, record[0]);
        assertThat(record).isEqualTo(whole);
        counts[record[0]]++;
      }
    }
    assertThat(counts).startsWith(0).containsOnly(0, records);
  }

  @Test
  void concurrentWritersOfOneFileAllSucceed() throws Exception {
    int threads = 4;
    int blocks = 24;
    int block = 50_001;
    InodeId inode = newInode();
    parallel(
        threads,
        (index, own) -> {
          try (Region region = regions.open(inode, home(), true)) {
            for (int i = index; i < threads * blocks; i += threads) {
              own.write(region, (long) i * block, RegionBytes.pattern(block, i));
            }
          }
        });
    try (Region region = regions.open(inode, home(), true)) {
      assertThat(region.stat().size()).isEqualTo((long) threads * blocks * block);
      for (int i = 0; i < threads * blocks; i++) {
        assertThat(bytes.read(region, (long) i * block, block))
            .as("block %d", i)
            .isEqualTo(RegionBytes.pattern(block, i));
      }
    }
  }

  @Test
  void readersSeeOnlyZerosOrWhatWasWrittenWhileOthersTruncate() throws Exception {
    InodeId inode = newInode();
    parallel(
        4,
        (index, own) -> {
          byte[] ones = new byte[MIB];
          Arrays.fill(ones, (byte) 1);
          try (Region region = regions.open(inode, home(), true)) {
            for (int i = 0; i < 20; i++) {
              if (index == 0) {
                region.truncate((i * 77_777L) % MIB);
              } else if (index == 1) {
                own.write(region, 0, ones);
              } else {
                for (byte b : own.read(region, 0, MIB)) {
                  if (b != 0 && b != 1) {
                    throw new AssertionError("read " + b);
                  }
                }
              }
            }
          }
        });
  }

  @Test
  void randomOperationsMatchAnArray() {
    long seed = System.nanoTime();
    System.out.println("randomOperationsMatchAnArray: seed " + seed);
    Random random = new Random(seed);
    byte[] model = new byte[MODEL_BYTES];
    int size = 0;
    try (Region region = newRegion()) {
      for (int step = 0; step < 400; step++) {
        int offset = random.nextInt(MODEL_BYTES);
        int length = 1 + random.nextInt(Math.min(MODEL_BYTES - offset, 1 << random.nextInt(1, 21)));
        String what = "seed " + seed + ", step " + step + ", " + length + " at " + offset;
        switch (random.nextInt(8)) {
          case 0, 1, 2 -> {
            byte[] data = RegionBytes.pattern(length, step);
            bytes.write(region, offset, data);
            System.arraycopy(data, 0, model, offset, length);
            size = Math.max(size, offset + length);
          }
          case 3, 4 -> {
            int end = Math.max(Math.min(size, offset + length), offset);
            assertThat(bytes.read(region, offset, length))
                .as(what)
                .isEqualTo(Arrays.copyOfRange(model, offset, end));
          }
          case 5 -> {
            region.truncate(offset);
            Arrays.fill(model, Math.min(offset, size), MODEL_BYTES, (byte) 0);
            size = offset;
          }
          case 6 -> {
            boolean zero = random.nextBoolean();
            region.allocate(
                zero ? FallocateMode.ZERO_RANGE : FallocateMode.PUNCH_HOLE, offset, length);
            Arrays.fill(model, offset, offset + length, (byte) 0);
            size = zero ? Math.max(size, offset + length) : size;
          }
          default -> {
            byte[] data = RegionBytes.pattern(Math.min(length, MODEL_BYTES - size), step);
            if (data.length > 0) {
              assertThat(bytes.append(region, data)).as(what).isEqualTo(size);
              System.arraycopy(data, 0, model, size, data.length);
              size += data.length;
            }
          }
        }
        assertThat(region.stat().size()).as(what).isEqualTo(size);
      }
      assertThat(bytes.read(region, 0, MODEL_BYTES))
          .as("seed " + seed)
          .isEqualTo(Arrays.copyOf(model, size));
    }
  }
}
