package io.regionfs.cli;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/** A lock that is held stays so, and of another one at any time one host has it. */
final class CountingUnderALock extends Work<Long> {
  private @Nullable FileChannel held;

  CountingUnderALock(ClusterFixture cluster, ExecutorService threads) {
    super(cluster, threads);
  }

  @Override
  void begin() throws Exception {
    FileChannel file = FileChannel.open(cluster.mnt(1).resolve("held"), CREATE, WRITE);
    held = file;
    assertThat(file.tryLock()).isNotNull();
    Files.write(cluster.mnt(1).resolve("counter"), new byte[Long.BYTES]);
    for (int host = 1; host <= cluster.hosts(); host++) {
      Path counter = cluster.mnt(host).resolve("counter");
      start(() -> count(counter));
    }
  }

  /** Adds ones until the end; returns how many. */
  private long count(Path path) throws IOException, InterruptedException {
    long added = 0;
    try (FileChannel file = FileChannel.open(path, READ, WRITE)) {
      ByteBuffer number = ByteBuffer.allocate(Long.BYTES);
      while (!hasEnded()) {
        try (FileLock lock = file.lock()) {
          assertThat(lock.isValid()).isTrue();
          file.read(number.clear(), 0);
          number.putLong(0, number.getLong(0) + 1);
          file.write(number.flip(), 0);
          added++;
        }
        Thread.sleep(2);
      }
    }
    return added;
  }

  private static boolean isLocked(Path path) throws IOException {
    try (FileChannel file = FileChannel.open(path, WRITE);
        FileLock lock = file.tryLock()) {
      return lock == null;
    }
  }

  @Override
  void look() throws Exception {
    assertThat(isLocked(cluster.mnt(2).resolve("held"))).isTrue();
  }

  @Override
  void end() throws IOException {
    super.end();
    FileChannel file = held;
    if (file != null) {
      file.close();
    }
  }

  @Override
  void check() throws Exception {
    long expected = 0;
    for (long counted : results()) {
      assertThat(counted).isGreaterThan(3);
      expected += counted;
    }
    byte[] bytes = Files.readAllBytes(cluster.mnt(2).resolve("counter"));
    assertThat(ByteBuffer.wrap(bytes).getLong()).isEqualTo(expected);
    assertThat(isLocked(cluster.mnt(2).resolve("held"))).isFalse();
  }
}
