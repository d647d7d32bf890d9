package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.posix.LibC;
import io.regionfs.posix.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Mounts a filesystem in memory before each test, and looks for leaks after it. */
@SuppressWarnings({
  "NullAway.Init", // JUnit sets up what the fields hold
  "MustBeClosedChecker" // nothingIsLeft closes it
})
abstract class FuseMountFixture {
  @TempDir Path directory;
  final MemoryFileSystem fileSystem = fileSystem();
  FuseMount mount;
  Shell shell;

  /** What to mount. */
  MemoryFileSystem fileSystem() {
    return new MemoryFileSystem();
  }

  FuseOptions options() {
    return FuseOptions.defaults();
  }

  @BeforeEach
  void mount() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "skipped: there is no /dev/fuse");
    assumeTrue(LibC.INSTANCE.getuid() == 0, "skipped: mounting needs root");
    mount = FuseMount.mount(directory, fileSystem, options());
    shell = new Shell(directory);
  }

  @AfterEach
  void nothingIsLeft() throws Exception {
    if (mount != null) {
      mount.close();
      mount.ended().get(10, TimeUnit.SECONDS);
      assertThat(MountTable.now().at(directory.toRealPath())).isEmpty();
      assertThat(mount.threads()).isZero();
      assertThat(fileSystem.buffersOut).as("buffers").hasValue(0);
      assertThat(fileSystem.opensOut).as("open files").hasValue(0);
    }
  }
}
