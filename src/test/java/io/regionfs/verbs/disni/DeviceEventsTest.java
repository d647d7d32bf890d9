package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.posix.Memory;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeviceEventsTest {
  private static final long QP_ACCESS_ERR = 3;
  private static final long DEVICE_FATAL = 8;
  private static final long PORT_ACTIVE = 9;
  private static final long PORT_ERR = 10;
  private static final long GID_CHANGE = 18;
  private static final long BROKEN = -1;

  private final BlockingQueue<List<Long>> said = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> ended = new LinkedBlockingQueue<>();
  private final DeviceEvents events =
      new DeviceEvents(
          "d",
          1,
          this::next,
          new DeviceEvents.Listener() {
            @Override
            public void queuePairFailed(int number, String event) {
              ended.add(event + " " + number);
            }

            @Override
            public void deviceFailed(String event) {
              ended.add(event);
            }
          });

  private boolean next(int timeoutMillis, long out) throws IOException {
    List<Long> event;
    try {
      event = said.poll(timeoutMillis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    if (event == null) {
      return false;
    }
    if (event.get(0) == BROKEN) {
      throw new IOException("the device is gone");
    }
    Memory.putLong(out, event.get(0));
    Memory.putLong(out + Long.BYTES, event.get(1));
    return true;
  }

  @BeforeEach
  void start() {
    events.start();
  }

  @AfterEach
  void close() {
    events.close();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean() && System.nanoTime() - end < 0) {
      TimeUnit.MILLISECONDS.sleep(2);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  @Test
  void theStateOfTheOwnPortIsKept() throws Exception {
    said.add(List.of(PORT_ERR, 2L));
    said.add(List.of(PORT_ERR, 1L));
    await(() -> !events.trouble().isEmpty());
    assertThat(events.trouble()).contains("port 1", "d", "down");
    said.add(List.of(PORT_ACTIVE, 2L));
    said.add(List.of(PORT_ACTIVE, 1L));
    await(() -> events.trouble().isEmpty());
    assertThat(ended).isEmpty();
  }

  @Test
  void whatEndsConnectionsIsPassedOn() throws Exception {
    said.add(List.of(GID_CHANGE, 1L));
    said.add(List.of(QP_ACCESS_ERR, 17L));
    assertThat(ended.poll(30, TimeUnit.SECONDS)).isEqualTo("QP_ACCESS_ERR 17");
    said.add(List.of(DEVICE_FATAL, 0L));
    assertThat(ended.poll(30, TimeUnit.SECONDS)).isEqualTo("DEVICE_FATAL");
    assertThat(events.trouble()).contains("d has failed");
    said.add(List.of(PORT_ACTIVE, 1L));
    said.add(List.of(QP_ACCESS_ERR, 18L));
    assertThat(ended.poll(30, TimeUnit.SECONDS)).isEqualTo("QP_ACCESS_ERR 18");
    assertThat(events.trouble()).as("for good").contains("d has failed");
  }

  @Test
  void aSourceThatBreaksEndsTheThread() {
    said.add(List.of(BROKEN, 0L));
    events.close();
    assertThat(said).hasSizeLessThanOrEqualTo(1);
  }
}
