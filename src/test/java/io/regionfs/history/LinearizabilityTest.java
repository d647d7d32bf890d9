package io.regionfs.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LinearizabilityTest {
  private static Event<Integer> write(long start, long end, int value) {
    return new Event<>(start, end, before -> value, "write " + value);
  }

  private static Event<Integer> read(long start, long end, int value) {
    return new Event<>(start, end, before -> before == value ? before : null, "read " + value);
  }

  @Test
  void overlappingOperationsMayGoEitherWay() {
    assertThat(
            Linearizability.violation(
                List.of(write(0, 10, 1), write(5, 15, 2), read(20, 30, 1)), 0))
        .isEmpty();
    assertThat(
            Linearizability.violation(
                List.of(write(0, 10, 1), write(5, 15, 2), read(20, 30, 2)), 0))
        .isEmpty();
  }

  @Test
  void aReadOfWhatWasOverwrittenIsFound() {
    assertThat(
            Linearizability.violation(
                List.of(write(0, 10, 1), write(11, 15, 2), read(20, 30, 1)), 0))
        .hasValueSatisfying(text -> assertThat(text).contains("read 1"));
  }

  @Test
  void readsNeverGoBack() {
    assertThat(
            Linearizability.violation(
                List.of(write(0, 100, 1), read(10, 20, 1), read(30, 40, 0)), 0))
        .isPresent();
  }

  @Test
  void whatHadNoAnswerMayHaveHappenedOrNot() {
    Event<Integer> lost = write(0, Event.NEVER, 1);
    assertThat(Linearizability.violation(List.of(lost, read(10, 20, 0)), 0)).isEmpty();
    assertThat(Linearizability.violation(List.of(lost, read(10, 20, 0), read(30, 40, 1)), 0))
        .isEmpty();
    assertThat(Linearizability.violation(List.of(lost, read(10, 20, 1), read(30, 40, 0)), 0))
        .isPresent();
  }

  @Test
  void historiesOfARealRegisterPassAndSpoiltOnesDoNot() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<Event<Integer>> history = new ArrayList<>();
    int value = 0;
    for (int i = 0; i < 400; i++) {
      // It takes effect at 10 i, somewhere within its time.
      long start = 10L * i - random.nextInt(60);
      long end = 10L * i + random.nextInt(60);
      if (random.nextInt(3) == 0) {
        value = i + 1;
        history.add(write(start, end, value));
      } else {
        history.add(read(start, end, value));
      }
    }
    assertThat(Linearizability.violation(history, 0)).as("seed %s", seed).isEmpty();
    history.add(read(5000, 5001, -1));
    assertThat(Linearizability.violation(history, 0)).as("seed %s", seed).isPresent();
  }
}
