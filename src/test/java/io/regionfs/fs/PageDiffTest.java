package io.regionfs.fs;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.data.PageRuns;
import io.regionfs.posix.Memory;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PageDiffTest {
  private static final int PAGE = 4096;
  private final long twin = Memory.allocate(PAGE);
  private final long page = Memory.allocate(PAGE);
  private final PageRuns runs = new PageRuns(PAGE / 2 + 1);

  @AfterEach
  void free() {
    Memory.free(twin);
    Memory.free(page);
  }

  private void set(byte[] before, byte[] after) {
    Memory.put(twin, before, 0, before.length);
    Memory.put(page, after, 0, after.length);
  }

  @Test
  void whatIsEqualHasNoRuns() {
    set(new byte[PAGE], new byte[PAGE]);
    PageDiff.add(twin, page, PAGE, 0, runs);
    assertThat(runs.isEmpty()).isTrue();
  }

  @Test
  void runsAreExact() {
    byte[] after = new byte[PAGE];
    Arrays.fill(after, 5, 19, (byte) 1);
    after[21] = 1;
    after[PAGE - 1] = 1;
    set(new byte[PAGE], after);
    PageDiff.add(twin, page, PAGE, 100, runs);
    assertThat(text()).isEqualTo("105-119 121-122 4195-4196 ");
  }

  @Test
  void aLengthThatIsNoMultipleOfAWordIsCompared() {
    byte[] after = new byte[PAGE];
    after[12] = 1;
    after[13] = 1;
    set(new byte[PAGE], after);
    PageDiff.add(twin, page, 13, 0, runs);
    assertThat(text()).isEqualTo("12-13 ");
  }

  @Test
  void zerosOfTheKernelAreNoDifference() {
    byte[] before = new byte[PAGE];
    Arrays.fill(before, (byte) 7);
    byte[] after = before.clone();
    Arrays.fill(after, 10, 40, (byte) 0);
    after[20] = 9;
    set(before, after);
    PageDiff.add(twin, page, PAGE, 0, runs, 15, 30);
    assertThat(text()).isEqualTo("10-15 20-21 30-40 ");
  }

  @Test
  void randomChangesAreFound() {
    long seed = System.nanoTime();
    System.out.println("randomChangesAreFound: seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      byte[] before = new byte[PAGE];
      random.nextBytes(before);
      byte[] after = before.clone();
      for (int i = random.nextInt(500); i > 0; i--) {
        after[random.nextInt(PAGE)] = (byte) random.nextInt();
      }
      set(before, after);
      runs.clear();
      PageDiff.add(twin, page, PAGE, 0, runs);
      for (int run = 0; run < runs.size(); run++) {
        for (int at = runs.start(run); at < runs.end(run); at++) {
          assertThat(after[at]).isNotEqualTo(before[at]);
          before[at] = after[at];
        }
      }
      assertThat(before).isEqualTo(after);
    }
  }

  private String text() {
    StringBuilder text = new StringBuilder();
    for (int run = 0; run < runs.size(); run++) {
      text.append(runs.start(run)).append('-').append(runs.end(run)).append(' ');
    }
    return text.toString();
  }
}
