package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether this host can do FUSE over io_uring. */
final class UringSupport {
  private static final Path ENABLED = Path.of("/sys/module/fuse/parameters/enable_uring");

  private UringSupport() {}

  /** Why not, for people; empty if nothing is known to be in its way. */
  static String obstacle() {
    try {
      if (!Files.exists(ENABLED)) {
        return "this kernel has no FUSE over io_uring as it is needed: Linux 6.16 and later have";
      }
      if (!Files.readString(ENABLED).strip().equals("Y")) {
        return "FUSE over io_uring is off: echo 1 > " + ENABLED;
      }
      if (LibC.INSTANCE.getuid() != 0) {
        return "FUSE over io_uring needs root";
      }
      Ring.open(1).close();
      return "";
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
