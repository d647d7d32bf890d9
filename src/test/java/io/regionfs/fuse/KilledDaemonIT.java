package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.posix.LibC;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The process that serves a mount is killed while programs have its files mapped. */
@SuppressWarnings("NullAway.Init") // JUnit sets up what the fields hold
class KilledDaemonIT {
  private static final int SECONDS = 60;
  private static final int SIGBUS = 7;
  private static final int BYTES = 4 << 20;

  @TempDir Path temporary;
  private final List<Process> daemons = new ArrayList<>();
  private Path directory;
  private Path file;

  @BeforeEach
  void check() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "skipped: there is no /dev/fuse");
    assumeTrue(LibC.INSTANCE.getuid() == 0, "skipped: mounting needs root");
    assumeTrue(Shell.has("python3"), "skipped: no python3");
    directory = Files.createDirectory(temporary.resolve("mount"));
    file = directory.resolve("f");
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    for (Process daemon : daemons) {
      kill(daemon);
    }
    if (directory != null) {
      boolean unused = StaleMounts.heal(directory);
    }
  }

  private Process start(String... how) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-XX:+UseSerialGC");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(MemoryMount.class.getName());
    command.add(directory.toString());
    command.addAll(List.of(how));
    Process daemon = new ProcessBuilder(command).redirectErrorStream(true).start();
    daemons.add(daemon);
    BufferedReader output =
        new BufferedReader(new InputStreamReader(daemon.getInputStream(), StandardCharsets.UTF_8));
    String line = output.readLine();
    while (line != null && !line.equals("mounted")) {
      line = output.readLine();
    }
    assertThat(line).isEqualTo("mounted");
    return daemon;
  }

  private static void kill(Process daemon) throws InterruptedException {
    daemon.destroyForcibly();
    assertThat(daemon.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  private Mapper mapped() throws IOException {
    new Shell(directory).sh("truncate -s " + BYTES + " f");
    return new Mapper(file, BYTES);
  }

  private void assertThatItCanBeMountedAgain() throws Exception {
    assertThatThrownBy(() -> Files.readString(file)).hasMessageContaining("not connected");
    Process again = start();
    assertThat(new Shell(directory).sh("echo x > g; cat g; ls")).isEqualTo("x\ng");
    kill(again);
  }

  @Test
  void pagesThatWereReadStayAndOthersAreSigbus() throws Exception {
    Process daemon = start();
    try (Mapper mapper = mapped()) {
      mapper.store(0, 1);
      kill(daemon);
      assertThat(mapper.load(0)).isEqualTo(1);
      assertThatItCanBeMountedAgain();
      assertThat(mapper.load(0)).as("of the old mount").isEqualTo(1);
      assertThat(mapper.statusAfter("load " + (BYTES - 1))).isEqualTo(128 + SIGBUS);
    }
  }

  @Test
  void mappingsOfWhatTheKernelUsesItselfGoOn() throws Exception {
    Process daemon = start("passing");
    try (Mapper mapper = mapped()) {
      mapper.store(0, 1);
      kill(daemon);
      mapper.store(BYTES - 1, 2);
      assertThat(mapper.load(0)).isEqualTo(1);
      assertThat(mapper.load(BYTES - 1)).isEqualTo(2);
      assertThatItCanBeMountedAgain();
      mapper.store(BYTES - 2, 3);
      assertThat(mapper.load(BYTES - 2)).isEqualTo(3);
    }
  }

  /** Not a hang; and of a file that another program makes shorter. */
  @Test
  void beyondTheEndOfAFileIsSigbus() throws Exception {
    Process daemon = start();
    try (Mapper mapper = mapped()) {
      mapper.store(BYTES - 1, 1);
      new Shell(directory).sh("truncate -s 4097 f");
      mapper.store(4096, 1);
      assertThat(mapper.load(8191)).isZero();
      assertThat(mapper.statusAfter("load 8192")).isEqualTo(128 + SIGBUS);
    }
    new Shell(directory).sh("truncate -s 8192 f");
    try (Mapper mapper = new Mapper(file, 8192)) {
      new Shell(directory).sh("truncate -s 0 f");
      assertThat(mapper.statusAfter("store 0 1")).isEqualTo(128 + SIGBUS);
    }
    kill(daemon);
  }
}
