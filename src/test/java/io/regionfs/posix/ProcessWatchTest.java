package io.regionfs.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProcessWatchTest {
  private final ProcessWatch watch = new ProcessWatch();

  @AfterEach
  void close() {
    watch.close();
  }

  private static Process sleeping() throws IOException {
    return new ProcessBuilder("sleep", "60").start();
  }

  @Test
  void theEndOfAProcessIsToldOnce() throws Exception {
    Process process = sleeping();
    Process other = sleeping();
    CountDownLatch ended = new CountDownLatch(1);
    AtomicInteger others = new AtomicInteger();
    watch((int) process.pid(), ended::countDown);
    watch((int) other.pid(), others::incrementAndGet);
    assertThat(ended.await(100, TimeUnit.MILLISECONDS)).isFalse();
    process.destroyForcibly();
    assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(others).hasValue(0);
    other.destroyForcibly().waitFor();
  }

  private void watch(int pid, Runnable ended) {
    watch.watch(pid, ProcessWatch.startOf(pid), ended);
  }

  @Test
  void aProcessThatIsGoneIsToldAtOnce() throws Exception {
    Process process = sleeping();
    long start = ProcessWatch.startOf(process.pid());
    process.destroyForcibly().waitFor();
    AtomicInteger told = new AtomicInteger();
    watch.watch((int) process.pid(), start, told::incrementAndGet);
    assertThat(told).hasValue(1);
  }

  @Test
  void anotherProcessOfTheSameNumberIsNotTheOneThatWasMeant() throws Exception {
    Process process = sleeping();
    AtomicInteger told = new AtomicInteger();
    watch.watch(
        (int) process.pid(), ProcessWatch.startOf(process.pid()) - 1, told::incrementAndGet);
    assertThat(told).hasValue(1);
    process.destroyForcibly().waitFor();
  }

  @Test
  void aThreadBelongsToItsProcess() {
    int self = (int) ProcessHandle.current().pid();
    int thread = (int) LibC.INSTANCE.syscall(186, 0, 0, 0, 0, 0, 0);
    assertThat(thread).isNotEqualTo(self);
    assertThat(ProcessWatch.processOf(thread)).isEqualTo(self);
    assertThat(ProcessWatch.processOf(1 << 29)).isZero();
  }
}
