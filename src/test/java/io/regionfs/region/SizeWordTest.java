package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.soft.SeatedDevice;
import org.junit.jupiter.api.Test;

/** On a software device that does not heed processors. */
@SuppressWarnings("MustBeClosedChecker") // each test closes its device
class SizeWordTest extends SizeWordContract {
  SizeWordTest() {
    super(new SeatedDevice(Atomics.DEVICE));
  }

  /** Shows that the tests over this device would find such a mistake. */
  @Test
  void growthIsLostWhenTheHomeUsesItsProcessor() throws Exception {
    long until = System.nanoTime() + PATIENCE.toNanos();
    boolean lost = false;
    while (!lost && System.nanoTime() < until) {
      lost = losesGrowth(WordSwap.BY_PROCESSOR, ROUNDS);
    }
    assertThat(lost).isTrue();
  }
}
