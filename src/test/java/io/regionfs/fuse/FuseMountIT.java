package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real mount of a filesystem in memory, used by shell commands. */
@SuppressWarnings({
  "NullAway.Init", // JUnit sets up what the fields hold
  "MustBeClosedChecker" // nothingIsLeft closes it
})
class FuseMountIT {
  @TempDir private Path directory;
  private final MemoryFileSystem fileSystem = new MemoryFileSystem();
  private FuseMount mount;
  private Shell shell;

  @BeforeEach
  void mount() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "skipped: there is no /dev/fuse");
    assumeTrue(LibC.INSTANCE.getuid() == 0, "skipped: mounting needs root");
    mount = FuseMount.mount(directory, fileSystem, FuseOptions.defaults());
    shell = new Shell(directory);
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    if (mount != null) {
      mount.close();
      mount.ended().get(10, TimeUnit.SECONDS);
      assertThat(MountTable.at(directory.toRealPath())).isEmpty();
      assertThat(fileSystem.buffersOut).hasValue(0);
      assertThat(fileSystem.opensOut).hasValue(0);
    }
  }

  @Test
  void bytesComeBack() throws IOException {
    shell.sh("echo hello > a; cat a; ls -la");
    assertThat(Files.readString(directory.resolve("a"))).isEqualTo("hello\n");
    assertThat(shell.sh("stat -f -c %T . ; stat -c '%s %F %a' a")).contains("6 regular file 644");
  }
}
