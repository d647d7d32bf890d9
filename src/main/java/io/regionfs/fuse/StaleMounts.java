package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import io.regionfs.posix.MountTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Mounts whose daemon was killed: everything below them fails with ENOTCONN. */
public final class StaleMounts {
  private static final Logger LOG = LoggerFactory.getLogger(StaleMounts.class);
  private static final int O_DIRECTORY = 0200000;

  /** Dead mounts may lie on one another. */
  private static final int MOST_LAYERS = 16;

  private static final int ENOTCONN = 107;
  private static final int ECONNABORTED = 103;

  private StaleMounts() {}

  /**
   * Takes away a dead RegionFS mount at this directory; leaves everything else alone.
   *
   * @return whether there was one
   * @throws IOException if it cannot be removed
   */
  public static boolean heal(Path directory) throws IOException {
    Path mountPoint = MountPoint.resolve(directory);
    for (int removed = 0; removed < MOST_LAYERS; removed++) {
      if (!isStale(mountPoint)) {
        return removed > 0;
      }
      Unmounting.detach(mountPoint);
      LOG.info("Removed a dead mount from {}", mountPoint);
    }
    throw new IOException(mountPoint + ": a dead RegionFS mount is there and cannot be removed");
  }

  private static boolean isStale(Path mountPoint) throws IOException {
    Optional<MountTable.Mount> mount = MountTable.now().at(mountPoint);
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
