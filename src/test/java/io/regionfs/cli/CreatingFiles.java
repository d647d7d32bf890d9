package io.regionfs.cli;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.stream.Stream;

/** New files all the time: each is there once, on all hosts, with what was written to it. */
final class CreatingFiles extends Work<Integer> {
  private static final int CREATORS_OF_HOST = 2;

  /** Far above what a fail-over takes: it says "did not hang", the benchmark says how long. */
  private static final Duration LONGEST_PAUSE = Shell.patience(Duration.ofSeconds(30));

  CreatingFiles(ClusterFixture cluster, ExecutorService threads) {
    super(cluster, threads);
  }

  @Override
  void begin() throws Exception {
    Files.createDirectory(cluster.mnt(1).resolve("files"));
    for (int creator = 0; creator < CREATORS_OF_HOST * cluster.hosts(); creator++) {
      Path directory = cluster.mnt(creator % cluster.hosts() + 1).resolve("files");
      int number = creator;
      start(() -> create(directory, number));
    }
  }

  /** Every file is new, so an EEXIST would be a creation that counted twice. */
  private int create(Path directory, int creator) throws IOException {
    int made = 0;
    while (!hasEnded()) {
      Path file = directory.resolve(creator + "-" + made);
      long start = System.nanoTime();
      Files.writeString(file, content(file), CREATE_NEW, WRITE);
      made++;
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LONGEST_PAUSE);
    }
    return made;
  }

  private static String content(Path file) {
    return "content of " + file.getFileName();
  }

  @Override
  void check() throws Exception {
    int made = 0;
    for (int one : results()) {
      made += one;
    }
    assertThat(made).isGreaterThan(50);
    for (int host = 1; host <= cluster.hosts(); host++) {
      try (Stream<Path> files = Files.list(cluster.mnt(host).resolve("files"))) {
        assertThat(files.map(f -> f.getFileName().toString()))
            .hasSize(made)
            .doesNotHaveDuplicates();
      }
    }
    for (int creator = 0; creator < CREATORS_OF_HOST * cluster.hosts(); creator++) {
      Path first = cluster.mnt(1).resolve("files").resolve(creator + "-0");
      assertThat(Files.readString(first)).isEqualTo(content(first));
      assertThat(Files.getAttribute(first, "unix:nlink")).isEqualTo(1);
    }
  }
}
