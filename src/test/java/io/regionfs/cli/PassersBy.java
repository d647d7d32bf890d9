package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A program on each host that changes nothing of a file, but has the kernel write back and drop its
 * pages at any moment: it opens the file for reading and for writing, reads it, asks for its
 * attributes and a refresh. Processes of their own: a close ends the POSIX locks of the process.
 */
@SuppressWarnings("try") // closed by tests, which may be interrupted
final class PassersBy implements AutoCloseable {
  private static final String SCRIPT =
      """
      set -e
      while [ -e "$2" ]; do
        getfattr --absolute-names --only-values -n user.regionfs.refresh "$1"
        head -c 40000 "$1" >/dev/null
        stat "$1" >/dev/null
        : >>"$1"
        sleep 0.01
      done
      """;

  private final Path running = Files.createTempFile("regionfs-passers-by", "");
  private final List<Process> programs = new ArrayList<>();

  PassersBy(ClusterFixture cluster, int hosts, String name) throws IOException {
    for (int host = 1; host <= hosts; host++) {
      Path file = cluster.mnt(host).resolve(name);
      programs.add(cluster.shell.start("sh", "-c", SCRIPT, "passer-by", file, running));
    }
  }

  /** They have met no error. */
  @Override
  public void close() throws IOException, InterruptedException {
    Files.delete(running);
    try {
      for (Process program : programs) {
        assertThat(program.waitFor(Shell.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        String said = new String(program.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(program.exitValue()).as("exit code of who passes by; %s", said).isZero();
      }
    } finally {
      programs.forEach(Process::destroyForcibly);
    }
  }
}
