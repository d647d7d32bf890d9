package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BudgetTest {
  @Test
  void itGivesAllOrNothing() {
    Budget budget = new Budget(100);
    assertThat(budget.tryReserve(60)).isTrue();
    assertThat(budget.tryReserve(41)).isFalse();
    assertThat(budget.usedBytes()).isEqualTo(60);
    assertThat(budget.tryReserve(40)).isTrue();
    assertThat(budget.tryReserve(1)).isFalse();
    budget.release(1);
    assertThat(budget.tryReserve(Long.MAX_VALUE)).isFalse();
    assertThat(budget.tryReserve(1)).isTrue();
  }

  @Test
  void whatIsThereAlreadyMayPassTheLimit() {
    Budget budget = new Budget(100);
    budget.count(150);
    assertThat(budget.tryReserve(1)).isFalse();
    budget.release(51);
    assertThat(budget.tryReserve(1)).isTrue();
  }

  @Test
  void moreThanWasTakenCannotComeBack() {
    assertThatThrownBy(() -> new Budget(1).release(1)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void threadsTogetherNeverPassTheLimit() throws Exception {
    Budget budget = new Budget(1000);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<Integer>> taken = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        taken.add(threads.submit(() -> takeAsMuchAsPossible(budget)));
      }
      int sum = 0;
      for (Future<Integer> one : taken) {
        sum += one.get(60, TimeUnit.SECONDS);
      }
      assertThat(sum).isBetween(994, 1000);
      assertThat(budget.usedBytes()).isEqualTo(sum);
    } finally {
      threads.shutdownNow();
    }
  }

  private static int takeAsMuchAsPossible(Budget budget) {
    int taken = 0;
    while (budget.tryReserve(7)) {
      taken += 7;
    }
    return taken;
  }
}
