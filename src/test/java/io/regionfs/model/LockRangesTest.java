package io.regionfs.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Ranges of locks against an array of bytes. */
class LockRangesTest {
  private static final int BYTES = 48;
  private static final int STEPS = 100_000;
  private static final int FREE = 0;
  private static final int SHARED = 1;
  private static final int EXCLUSIVE = 2;

  private final LockRanges ranges = new LockRanges();
  private final int[] bytes = new int[BYTES];

  @Test
  void everyStepIsThatOfAnArray() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int step = 0; step < STEPS; step++) {
      int first = random.nextInt(BYTES);
      int last = first + random.nextInt(BYTES - first);
      int kind = random.nextInt(3);
      if (kind == FREE) {
        ranges.clear(first, last);
      } else {
        ranges.set(first, last, kind == EXCLUSIVE);
      }
      Arrays.fill(bytes, first, last + 1, kind);
      String when = "seed " + seed + ", step " + step;
      checkRanges(when);
      checkQuestions(random, when);
    }
  }

  private void checkRanges(String when) {
    int[] found = new int[BYTES];
    long end = -2;
    boolean exclusive = false;
    for (LockRanges.Range range : ranges.all()) {
      boolean apart = range.first() > end + 1 || range.exclusive() != exclusive;
      assertThat(apart && range.first() > end).as(when).isTrue();
      int kind = range.exclusive() ? EXCLUSIVE : SHARED;
      Arrays.fill(found, (int) range.first(), (int) range.last() + 1, kind);
      end = range.last();
      exclusive = range.exclusive();
    }
    assertThat(found).as(when).isEqualTo(bytes);
  }

  private void checkQuestions(Random random, String when) {
    int first = random.nextInt(BYTES);
    int last = first + random.nextInt(BYTES - first);
    int most = FREE;
    int least = EXCLUSIVE;
    boolean even = true;
    for (int i = first; i <= last; i++) {
      most = Math.max(most, bytes[i]);
      least = Math.min(least, bytes[i]);
      even &= bytes[i] == bytes[first];
    }
    assertThat(ranges.find(first, last, false) != null).as(when).isEqualTo(most > FREE);
    assertThat(ranges.find(first, last, true) != null).as(when).isEqualTo(most == EXCLUSIVE);
    assertThat(ranges.covers(first, last, true)).as(when).isEqualTo(least == EXCLUSIVE);
    assertThat(ranges.covers(first, last, false)).as(when).isEqualTo(even && least == SHARED);
  }

  @Test
  void theEndOfAnyFileIsNoSpecialCase() {
    ranges.set(10, Long.MAX_VALUE, true);
    ranges.set(0, 9, true);
    assertThat(ranges.size()).isEqualTo(1);
    assertThat(ranges.covers(0, Long.MAX_VALUE, true)).isTrue();
    ranges.clear(5, Long.MAX_VALUE);
    ranges.set(Long.MAX_VALUE, Long.MAX_VALUE, false);
    assertThat(ranges.size()).isEqualTo(2);
    ranges.clear(0, Long.MAX_VALUE);
    assertThat(ranges.isEmpty()).isTrue();
  }
}
