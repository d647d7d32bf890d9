package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ReadTurnTest {
  private static final int SECONDS = 60;

  private final ReadTurn turn = new ReadTurn();
  private final BlockingQueue<String> events = new ArrayBlockingQueue<>(16);

  private Thread start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private void takeAndSay() {
    turn.take();
    events.add(Thread.currentThread().getName());
  }

  private String next() throws InterruptedException {
    return String.valueOf(events.poll(SECONDS, TimeUnit.SECONDS));
  }

  @Test
  void aHolderThatServesForLongLosesItsTurn() throws Exception {
    turn.take();
    turn.taken();
    Thread other = start("other", this::takeAndSay);
    assertThat(next()).isEqualTo("other");
    other.join();
  }

  @Test
  void aHolderThatSleepsKeepsItUntilItHasARequest() throws Exception {
    turn.take();
    turn.sleeps();
    start("other", this::takeAndSay);
    assertThat(events.poll(50, TimeUnit.MILLISECONDS)).isNull();
    turn.taken();
    assertThat(next()).isEqualTo("other");
  }

  @Test
  void whoLeavesWakesTheNext() throws Exception {
    CountDownLatch mayLeave = new CountDownLatch(1);
    Runnable once =
        () -> {
          takeAndSay();
          try {
            mayLeave.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          turn.leave();
        };
    turn.take();
    for (int i = 0; i < 4; i++) {
      start("waits", once);
    }
    turn.sleeps();
    assertThat(events.poll(20, TimeUnit.MILLISECONDS)).isNull();
    turn.leave();
    mayLeave.countDown();
    for (int i = 0; i < 4; i++) {
      assertThat(next()).isEqualTo("waits");
    }
  }
}
