package io.regionfs.fs;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TwinMemoryTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final TwinMemory memory = new TwinMemory(4L * TwinMemory.PAGE_BYTES);

  @Test
  void thereIsSoMuchAndNoMore() {
    long[] pages = new long[4];
    for (int i = 0; i < 4; i++) {
      pages[i] = memory.take(Duration.ZERO);
      assertThat(pages[i]).isNotZero();
    }
    assertThat(memory.take(Duration.ofMillis(10))).isZero();
    assertThat(memory.usedPages()).isEqualTo(4);
    for (long page : pages) {
      memory.give(page);
    }
    assertThat(memory.usedPages()).isZero();
  }

  @Test
  void whoWaitsGetsWhatIsGivenBack() throws Exception {
    long first = memory.take(Duration.ZERO);
    for (int i = 0; i < 3; i++) {
      assertThat(memory.take(Duration.ZERO)).isNotZero();
    }
    CompletableFuture<Long> waiting = CompletableFuture.supplyAsync(() -> memory.take(LONG));
    memory.give(first);
    assertThat(waiting.get(60, TimeUnit.SECONDS)).isNotZero();
  }

  @Test
  void itIsShortBeforeItIsGone() {
    for (int i = 0; i < 3; i++) {
      assertThat(memory.take(Duration.ZERO)).isNotZero();
    }
    assertThat(memory.isShort()).isFalse();
    assertThat(memory.take(Duration.ZERO)).isNotZero();
    assertThat(memory.isShort()).isTrue();
  }
}
