package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ExtentSetTest {
  private static final int UNIVERSE = 300;

  private final ExtentSet set = new ExtentSet();

  @Test
  void touchingRangesBecomeOne() {
    set.add(10, 20);
    set.add(30, 40);
    set.add(20, 30);
    assertThat(set).hasToString("{10..40}");
    assertThat(set.bytes()).isEqualTo(30);
  }

  @Test
  void removingFromTheMiddleLeavesTwo() {
    set.add(10, 40);
    assertThat(set.remove(20, 30)).isEqualTo(10);
    assertThat(set).hasToString("{10..20, 30..40}");
    assertThat(set.remove(0, 100)).isEqualTo(20);
    assertThat(set.count()).isZero();
    assertThat(set.end()).isZero();
  }

  @Test
  void nothingIsFoundInTheEmptySet() {
    assertThat(set.nextMember(5)).isEqualTo(-1);
    assertThat(set.nextGap(5)).isEqualTo(5);
    assertThat(set.contains(5, 5)).isTrue();
    assertThat(set.contains(5, 6)).isFalse();
    assertThat(set.intersects(0, Long.MAX_VALUE)).isFalse();
    assertThat(set.gaps(3, 9)).hasToString("{3..9}");
  }

  @Test
  void whatIsNoRangeIsRefused() {
    assertThatThrownBy(() -> set.add(5, 5)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> set.remove(-1, 5)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void randomChangesMatchAModel() {
    long seed = System.nanoTime();
    System.out.println("randomChangesMatchAModel: seed " + seed);
    Random random = new Random(seed);
    BitSet model = new BitSet(UNIVERSE);
    for (int step = 0; step < 20_000; step++) {
      int from = random.nextInt(UNIVERSE);
      int to = Math.min(UNIVERSE, from + 1 + random.nextInt(1 + random.nextInt(40)));
      String what = "seed " + seed + ", step " + step + ", " + from + ".." + to + " of " + set;
      if (random.nextBoolean()) {
        set.add(from, to);
        model.set(from, to);
      } else {
        int before = model.cardinality();
        model.clear(from, to);
        assertThat(set.remove(from, to)).as(what).isEqualTo(before - model.cardinality());
      }
      check(model, random, what);
    }
  }

  private void check(BitSet model, Random random, String what) {
    assertThat(set.bytes()).as(what).isEqualTo(model.cardinality());
    assertThat(set.end()).as(what).isEqualTo(model.length());
    int from = random.nextInt(UNIVERSE);
    int to = from + 1 + random.nextInt(20);
    BitSet part = model.get(from, to);
    assertThat(set.contains(from, to)).as(what).isEqualTo(part.cardinality() == to - from);
    assertThat(set.intersects(from, to)).as(what).isEqualTo(!part.isEmpty());
    assertThat(set.nextMember(from)).as(what).isEqualTo(model.nextSetBit(from));
    assertThat(set.nextGap(from)).as(what).isEqualTo(model.nextClearBit(from));
    int start = model.get(from) ? model.previousClearBit(from) + 1 : from;
    assertThat(set.startOfRange(from)).as(what).isEqualTo(start);
    assertThat(set.gaps(from, to).bytes()).as(what).isEqualTo(to - from - part.cardinality());
    BitSet visited = new BitSet();
    set.forEach(from, to, (a, b) -> visited.set((int) a, (int) b));
    BitSet expected = (BitSet) model.clone();
    expected.clear(0, from);
    expected.clear(to, Math.max(to, model.length()));
    assertThat(visited).as(what).isEqualTo(expected);
  }
}
