package io.regionfs.fs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Against a map of pages. */
class TwinsTest {
  private static final int PAGE = 4096;
  private static final int PAGES = 100;

  private final Twins twins = new Twins();
  private final Map<Long, long[]> model = new LinkedHashMap<>();
  private final Set<Long> given = new TreeSet<>();
  private long nextAddress = 1;

  private void put(long first, int pages, long time, Random random) {
    long[] addresses = new long[pages];
    Set<Long> old = new TreeSet<>();
    for (int i = 0; i < pages; i++) {
      addresses[i] = random.nextInt(10) == 0 ? 0 : nextAddress++;
      if (addresses[i] != 0) {
        long[] before = model.put(first + i, new long[] {addresses[i], time, PAGE});
        if (before != null) {
          old.add(before[0]);
        }
      }
    }
    twins.put(first, addresses, time);
    assertThat(set(addresses)).isEqualTo(old);
  }

  private static Set<Long> set(long[] addresses) {
    Set<Long> set = new TreeSet<>();
    Arrays.stream(addresses).filter(address -> address != 0).forEach(set::add);
    return set;
  }

  private void forget(long first, long end, long before) {
    Set<Long> old = new TreeSet<>();
    model
        .entrySet()
        .removeIf(
            entry -> {
              long page = entry.getKey();
              boolean gone = page >= first && page < end && entry.getValue()[1] < before;
              if (gone) {
                old.add(entry.getValue()[0]);
              }
              return gone;
            });
    given.clear();
    twins.forget(first, end, before, pages -> given.addAll(set(pages)));
    assertThat(given).isEqualTo(old);
  }

  private void zeroed(long from) {
    twins.zeroed(from);
    model.forEach(
        (page, twin) ->
            twin[2] = Math.min(twin[2], Math.max(0, Math.min(PAGE, from - page * PAGE))));
  }

  @Test
  void theyAreLikeAMap() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      long first = random.nextInt(PAGES);
      int pages = 1 + random.nextInt(20);
      switch (random.nextInt(8)) {
        case 0, 1, 2 -> put(first, pages, i, random);
        case 3 -> forget(first, first + pages, i - random.nextInt(20));
        case 4 -> zeroed(random.nextInt((PAGES + 20) * PAGE));
        case 5 -> {
          twins.markWhole(first);
          model.computeIfPresent(first, (page, twin) -> new long[] {twin[0], twin[1], PAGE});
        }
        case 6 -> {
          if (random.nextInt(20) == 0) {
            forget(0, Long.MAX_VALUE / PAGE + 1, i - random.nextInt(20));
          }
        }
        default -> {
          long[] twin = model.get(first);
          assertThat(twins.address(first))
              .as("seed %d", seed)
              .isEqualTo(twin == null ? 0 : twin[0]);
          if (twin != null) {
            assertThat(twins.zeroedFrom(first)).as("seed %d", seed).isEqualTo((int) twin[2]);
          }
        }
      }
    }
    forget(0, Long.MAX_VALUE / PAGE + 1, Long.MAX_VALUE);
    assertThat(twins.eldest(PAGES)).isNull();
  }

  @Test
  void theEldestAreThoseThatWereGivenTheLongestAgoAndTheirNeighbours() {
    twins.put(320, new long[] {1}, 1);
    twins.put(30, new long[] {2, 3}, 2);
    twins.put(15, new long[15], 3);
    twins.put(32, new long[] {4, 5, 0, 6}, 4);
    assertThat(twins.eldest(1000)).containsExactly(320, 321);
    twins.put(322, new long[] {7}, 5);
    assertThat(twins.eldest(1000)).as("320 has a younger neighbour").containsExactly(30, 34);
    assertThat(twins.eldest(3)).containsExactly(30, 33);
    twins.forget(30, 31, Long.MAX_VALUE, pages -> {});
    assertThat(twins.eldest(1000)).containsExactly(31, 34);
    twins.forget(31, 34, Long.MAX_VALUE, pages -> {});
    assertThat(twins.eldest(1000)).containsExactly(35, 36);
  }
}
