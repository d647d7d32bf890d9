package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.posix.ProcessWatch;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunningMountsTest {
  @TempDir private Path directory = Path.of("");

  private RunningMounts.Entry entry(String mountPoint, long pid, long start) {
    Path path = Path.of(mountPoint);
    RunningMounts running = new RunningMounts(directory);
    return new RunningMounts.Entry(
        pid,
        start,
        path,
        Path.of("/state"),
        directory.resolve("memory"),
        running.controlSocket(path),
        true);
  }

  private RunningMounts.Entry ofThisProcess(String mountPoint) {
    long pid = ProcessHandle.current().pid();
    return entry(mountPoint, pid, ProcessWatch.startOf(pid));
  }

  @Test
  void findsWhatWasAddedUntilItIsRemoved() throws Exception {
    RunningMounts running = new RunningMounts(directory);
    RunningMounts.Entry entry = ofThisProcess("/mnt/ä=b #:c");
    running.add(entry);
    assertThat(running.at(entry.mountPoint())).contains(entry);
    assertThat(entry.isRunning()).isTrue();
    running.remove(entry);
    assertThat(running.all()).isEmpty();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void theInnermostMountAnswersForAPath() throws Exception {
    RunningMounts running = new RunningMounts(directory);
    RunningMounts.Entry outer = ofThisProcess("/mnt/a");
    RunningMounts.Entry inner = ofThisProcess("/mnt/a/b");
    running.add(outer);
    running.add(inner);
    assertThat(running.above(Path.of("/mnt/a/b/file"))).contains(inner);
    assertThat(running.above(Path.of("/mnt/a/bc"))).contains(outer);
    assertThat(running.above(Path.of("/mnt"))).isEmpty();
  }

  @Test
  void aLaterProcessWithTheSameNumberIsNotTheNode() throws Exception {
    RunningMounts running = new RunningMounts(directory);
    RunningMounts.Entry alive = ofThisProcess("/mnt/a");
    RunningMounts.Entry dead = entry("/mnt/a", alive.pid(), alive.start() - 1);
    running.add(dead);
    assertThat(dead.isRunning()).isFalse();
    assertThat(running.above(Path.of("/mnt/a/file"))).isEmpty();
    running.add(alive);
    running.remove(dead);
    assertThat(running.at(Path.of("/mnt/a"))).contains(alive);
  }

  @Test
  void foreignFilesAreIgnored() throws Exception {
    Files.writeString(directory.resolve("x.properties"), "pid=a\n");
    assertThat(new RunningMounts(directory).all()).isEmpty();
    assertThat(new RunningMounts(directory.resolve("missing")).all()).isEmpty();
  }

  @Test
  void oneProcessHoldsAStateDirectory() throws Exception {
    try (StateLock lock = StateLock.take(directory)) {
      assertThat(lock).isNotNull();
      assertThatThrownBy(() -> StateLock.take(directory).close())
          .isInstanceOf(CommandFailure.class)
          .hasMessageContaining(Long.toString(ProcessHandle.current().pid()));
    }
    try (StateLock again = StateLock.take(directory)) {
      assertThat(again).isNotNull();
    }
  }
}
