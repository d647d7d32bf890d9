package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Mounts whose daemon was killed: everything below them fails with ENOTCONN. */
public final class StaleMounts {
  private static final Logger LOG = LoggerFactory.getLogger(StaleMounts.class);
  private static final int O_DIRECTORY = 0200000;
  private static final int ENOTCONN = 107;
  private static final int ECONNABORTED = 103;

  private StaleMounts() {}

  /**
   * Takes away a dead RegionFS mount at this directory; leaves everything else alone.
   *
   * @return whether there was one
   */
  public static boolean heal(Path directory) throws IOException {
    Path mountPoint = MountPoint.resolve(directory);
    boolean healed = false;
    while (isStale(mountPoint)) {
      Unmounting.detach(mountPoint);
      LOG.info("Removed a dead mount from {}", mountPoint);
      healed = true;
    }
    return healed;
  }

  private static boolean isStale(Path mountPoint) throws IOException {
    Optional<MountTable.Mount> mount = MountTable.at(mountPoint);
    if (mount.isEmpty() || !mount.get().isRegionFs()) {
      return false;
    }
    int fd =
        LibC.INSTANCE.open(mountPoint.toString(), LibC.O_RDONLY | O_DIRECTORY | LibC.O_CLOEXEC, 0);
    if (fd >= 0) {
      LibC.INSTANCE.close(fd);
      return false;
    }
    int errno = LibC.errno();
    return errno == ENOTCONN || errno == ECONNABORTED;
  }
}
