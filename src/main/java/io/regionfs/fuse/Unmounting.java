package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Unmounts by umount2(2), or by fusermount where that needs a privilege we lack. */
final class Unmounting {
  private static final int EPERM = 1;
  private static final int EINVAL = 22;
  private static final int FUSERMOUNT_SECONDS = 20;

  private Unmounting() {}

  /**
   * Takes the mount out of sight, in use or dead or not. The connection to its daemon lives until
   * the last user of the mount goes.
   */
  static void detach(Path mountPoint) throws IOException {
    if (LibC.INSTANCE.umount2(mountPoint.toString(), LibC.MNT_DETACH) == 0) {
      return;
    }
    int errno = LibC.errno();
    if (errno == EINVAL) {
      return; // not mounted any more
    }
    if (errno != EPERM) {
      throw new IOException("cannot unmount " + mountPoint + " (errno " + errno + ")");
    }
    if (!fusermount(mountPoint, "-u", "-z")) {
      throw new IOException("fusermount -u -z " + mountPoint + " failed");
    }
  }

  private static boolean fusermount(Path mountPoint, String... options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add("fusermount");
    command.addAll(List.of(options));
    command.add("-q");
    command.add("--");
    command.add(mountPoint.toString());
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      if (process.waitFor(FUSERMOUNT_SECONDS, TimeUnit.SECONDS)) {
        return process.exitValue() == 0;
      }
      process.destroyForcibly();
      throw new IOException(String.join(" ", command) + " does not end");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while unmounting " + mountPoint, e);
    }
  }
}
