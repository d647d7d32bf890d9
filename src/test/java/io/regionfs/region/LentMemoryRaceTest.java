package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.data.Region;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.InodeId;
import io.regionfs.posix.Memory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Many threads at one region: memory is never touched, exposed or counted once it is freed. */
@SuppressWarnings("MustBeClosedChecker") // local regions hold nothing
class LentMemoryRaceTest {
  private static final int REGION_BYTES = 2 << 20;
  private static final int STEPS = 400;

  /** One step of one thread. */
  interface Step {
    void run(Region region, HeapBuffer buffer, Random random);
  }

  private static void write(Region region, HeapBuffer buffer, Random random) {
    int length = 1 + random.nextInt(50_000);
    region.write(random.nextInt(REGION_BYTES - length), buffer, 0, length);
  }

  private static void read(Region region, HeapBuffer buffer, Random random) {
    region.read(
        random.nextInt(REGION_BYTES),
        100_000,
        buffer,
        (address, length) -> {
          for (int i = 0; i < length; i++) {
            byte read = Memory.getByte(address + i);
            if (read != 0 && read != 9) {
              throw new AssertionError("read " + read);
            }
          }
        });
  }

  private static void free(Region region, HeapBuffer buffer, Random random) {
    int length = 1 + random.nextInt(200_000);
    switch (random.nextInt(4)) {
      case 0 -> region.truncate(random.nextInt(REGION_BYTES));
      case 1 -> region.allocate(FallocateMode.ZERO_RANGE, random.nextInt(REGION_BYTES), length);
      default -> region.allocate(FallocateMode.PUNCH_HOLE, random.nextInt(REGION_BYTES), length);
    }
  }

  @Test
  void freedMemoryIsTouchedByNobody() throws Exception {
    long seed = System.nanoTime();
    System.out.println("freedMemoryIsTouchedByNobody: seed " + seed);
    try (LentMemoryFixture host = new LentMemoryFixture(16 << 20, 1 << 20, 20, 2)) {
      Region region = host.open(1);
      LentRegion lent = host.memory.find(new InodeId(1));
      Step expose =
          (same, buffer, random) -> {
            long offset = random.nextInt(REGION_BYTES);
            LentRegion.Exposed exposed = lent.expose(offset, 100_000, random.nextBoolean());
            assertThat(exposed.coveredTo()).isGreaterThan(offset);
          };
      List<Step> steps =
          List.of(
              LentMemoryRaceTest::write,
              LentMemoryRaceTest::write,
              LentMemoryRaceTest::read,
              LentMemoryRaceTest::free,
              expose);
      run(region, steps, seed);

      assertThat(host.bytesOnTmpfs(1)).isEqualTo(region.stat().allocatedBytes());
      assertThat(host.memory.status().allocatedBytes()).isEqualTo(region.stat().allocatedBytes());
      assertThat(lent.pinnedBytes()).isEqualTo(host.memory.status().pinnedBytes());
      region.truncate(0);
      assertThat(host.bytesOnTmpfs(1)).isZero();
      assertThat(host.memory.status().allocatedBytes()).isZero();
      assertThat(host.memory.status().pinnedBytes()).isZero();
      assertThat(host.memory.status().exposures()).isZero();
    }
  }

  private static void run(Region region, List<Step> steps, long seed) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(steps.size());
    try {
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < steps.size(); i++) {
        Step step = steps.get(i);
        Random random = new Random(seed + i);
        results.add(
            threads.submit(
                () -> {
                  try (HeapBuffer buffer = new HeapBuffer(200_000)) {
                    Memory.fill(buffer.address(), 50_000, (byte) 9);
                    for (int n = 0; n < STEPS; n++) {
                      step.run(region, buffer, random);
                      Memory.fill(buffer.address(), 50_000, (byte) 9);
                    }
                  }
                }));
      }
      for (Future<?> result : results) {
        result.get(120, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
      assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }
  }
}
