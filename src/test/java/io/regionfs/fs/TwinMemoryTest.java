package io.regionfs.fs;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.posix.HugePages;
import io.regionfs.posix.Memory;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TwinMemoryTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int CHUNK_PAGES = (int) (HugePages.BYTES / TwinMemory.PAGE_BYTES);

  private final TwinMemory memory = new TwinMemory(4L * TwinMemory.PAGE_BYTES);

  @AfterEach
  void close() {
    memory.close();
  }

  private static long[] take(TwinMemory from, int pages) {
    long[] taken = new long[pages];
    assertThat(from.take(taken, 0)).isEqualTo(pages);
    assertThat(Arrays.stream(taken).distinct().filter(page -> page != 0).count()).isEqualTo(pages);
    return taken;
  }

  @Test
  void thereIsSoMuchAndNoMore() {
    long[] pages = new long[6];
    assertThat(memory.take(pages, 1)).as("one after the last").isEqualTo(5);
    assertThat(pages[0]).isZero();
    assertThat(pages[5]).isZero();
    assertThat(memory.usedPages()).isEqualTo(4);
    assertThat(memory.awaitSome(System.nanoTime() + 10_000_000)).isFalse();
    memory.give(pages);
    assertThat(memory.usedPages()).isZero();
    assertThat(memory.awaitSome(System.nanoTime())).isTrue();
  }

  @Test
  void whoWaitsGetsWhatIsGivenBack() throws Exception {
    long[] pages = take(memory, 4);
    long deadline = System.nanoTime() + LONG.toNanos();
    CompletableFuture<Boolean> waiting =
        CompletableFuture.supplyAsync(() -> memory.awaitSome(deadline));
    memory.give(new long[] {0, pages[2]});
    assertThat(waiting.get(60, TimeUnit.SECONDS)).isTrue();
    assertThat(take(memory, 1)).containsExactly(pages[2]);
  }

  @Test
  void itIsShortBeforeItIsGone() {
    take(memory, 3);
    assertThat(memory.isShort()).isFalse();
    take(memory, 1);
    assertThat(memory.isShort()).isTrue();
  }

  @Test
  void eachPageIsItsOwn() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    try (TwinMemory some = new TwinMemory(3 * HugePages.BYTES)) {
      long[] pages = new long[3 * CHUNK_PAGES];
      for (int i = 0; i < 20_000; i++) {
        int at = random.nextInt(pages.length);
        long page = pages[at];
        if (page == 0) {
          pages[at] = take(some, 1)[0];
          Memory.fill(pages[at], TwinMemory.PAGE_BYTES, (byte) at);
        } else {
          assertThat(Memory.getByte(page)).as("seed %d", seed).isEqualTo((byte) at);
          assertThat(Memory.getByte(page + TwinMemory.PAGE_BYTES - 1)).isEqualTo((byte) at);
          some.give(new long[] {page});
          pages[at] = 0;
        }
        if (i % 1000 == 0) {
          some.trim();
        }
      }
      long used = Arrays.stream(pages).filter(page -> page != 0).count();
      assertThat((long) some.usedPages()).as("seed %d", seed).isEqualTo(used);
      some.give(pages);
      assertThat(some.usedPages()).isZero();
    }
  }

  @Test
  void whatIsNotNeededForAWhileIsGivenBack() {
    try (TwinMemory some = new TwinMemory(4 * HugePages.BYTES)) {
      assertThat(some.heldBytes()).isZero();
      long[] pages = take(some, 3 * CHUNK_PAGES);
      assertThat(some.heldBytes()).isEqualTo(3 * HugePages.BYTES);
      some.give(pages);
      some.trim();
      assertThat(some.heldBytes()).as("it was needed until now").isEqualTo(3 * HugePages.BYTES);
      some.give(take(some, CHUNK_PAGES + 1));
      some.trim();
      assertThat(some.heldBytes()).as("two chunks were needed").isEqualTo(2 * HugePages.BYTES);
      some.trim();
      assertThat(some.heldBytes()).isZero();
      Memory.fill(take(some, 1)[0], TwinMemory.PAGE_BYTES, (byte) 1);
      assertThat(some.heldBytes()).isEqualTo(HugePages.BYTES);
    }
  }

  @Test
  void whatIsUsedOutlivesTheClosing() {
    long[] page = take(memory, 1);
    memory.close();
    Memory.fill(page[0], TwinMemory.PAGE_BYTES, (byte) 1);
    assertThat(memory.heldBytes()).isEqualTo(HugePages.BYTES);
    memory.give(page);
    assertThat(memory.heldBytes()).isZero();
  }
}
