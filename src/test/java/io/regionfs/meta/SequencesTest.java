package io.regionfs.meta;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SequencesTest {
  private final Sequences sequences = new Sequences();

  @Test
  void acknowledgesOnlyWhatHasEndedWithoutGaps() throws InterruptedException {
    assertThat(sequences.begin()).isEqualTo(1);
    assertThat(sequences.begin()).isEqualTo(2);
    assertThat(sequences.begin()).isEqualTo(3);
    sequences.end(2);
    assertThat(sequences.acknowledged()).isZero();
    sequences.end(1);
    assertThat(sequences.acknowledged()).isEqualTo(2);
    sequences.end(3);
    assertThat(sequences.acknowledged()).isEqualTo(3);
    assertThat(sequences.begin()).isEqualTo(4);
  }

  @Test
  void waitsWhileTheOldestIsTooFarBehind() throws InterruptedException {
    for (int i = 1; i <= Sequences.WINDOW; i++) {
      sequences.begin();
      if (i > 1) {
        sequences.end(i);
      }
    }
    Thread waiting =
        new Thread(
            () -> {
              try {
                sequences.end(sequences.begin());
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    waiting.start();
    while (waiting.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    assertThat(sequences.acknowledged()).isZero();
    sequences.end(1);
    waiting.join(60_000);
    assertThat(waiting.isAlive()).isFalse();
    assertThat(sequences.acknowledged()).isEqualTo(Sequences.WINDOW + 1);
  }
}
