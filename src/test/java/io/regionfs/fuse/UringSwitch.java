package io.regionfs.fuse;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Turns FUSE over io_uring on for the tests of a class, and restores what was. */
final class UringSwitch implements BeforeAllCallback, AfterAllCallback {
  private static final Path ENABLED = Path.of("/sys/module/fuse/parameters/enable_uring");

  private String before = "";

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    assumeTrue(Files.exists(ENABLED), "skipped: this kernel has no FUSE over io_uring (6.14 has)");
    assumeTrue(LibC.INSTANCE.getuid() == 0, "skipped: FUSE over io_uring needs root");
    before = Files.readString(ENABLED).strip();
    Files.writeString(ENABLED, "Y");
    String obstacle = UringSupport.obstacle();
    assumeTrue(obstacle.isEmpty(), "skipped: " + obstacle);
  }

  @Override
  public void afterAll(ExtensionContext context) throws IOException {
    if (!before.isEmpty()) {
      Files.writeString(ENABLED, before);
    }
  }
}
