package io.regionfs.fuse;

import io.regionfs.posix.MountTable;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The directory to mount on. Every complaint says what to do. */
final class MountPoint {
  private static final Path DEVICE = Path.of("/dev/fuse");

  private MountPoint() {}

  /**
   * The absolute path without symbolic links, as the mount table has it. The last component is not
   * looked at: a dead mount there answers nothing.
   */
  static Path resolve(Path directory) throws IOException {
    Path absolute = directory.toAbsolutePath().normalize();
    if (Files.isSymbolicLink(absolute)) {
      return absolute.toRealPath();
    }
    Path parent = absolute.getParent();
    Path name = absolute.getFileName();
    if (parent == null || name == null) {
      return absolute;
    }
    if (!Files.isDirectory(parent)) {
      throw new IOException(directory + ": no such directory");
    }
    return parent.toRealPath().resolve(name);
  }

  /** Heals a dead mount, then says no to what cannot be mounted on. */
  static Path prepare(Path directory, FuseOptions options) throws IOException {
    checkDevice();
    StaleMounts.heal(directory);
    Path mountPoint = resolve(directory);
    if (!Files.exists(mountPoint)) {
      throw new IOException(directory + ": no such directory");
    }
    if (!Files.isDirectory(mountPoint)) {
      throw new IOException(directory + ": not a directory");
    }
    Optional<MountTable.Mount> mount = MountTable.now().at(mountPoint);
    if (mount.isPresent() && mount.get().isRegionFs()) {
      throw new IOException(
          directory + ": RegionFS is already mounted there (fusermount -u " + directory + ")");
    }
    if (!options.nonEmpty() && !isEmpty(mountPoint)) {
      throw new IOException(
          directory + ": not empty; to mount over it and hide what it holds, use -o nonempty");
    }
    return mountPoint;
  }

  private static void checkDevice() throws IOException {
    if (!Files.exists(DEVICE)) {
      throw new IOException(
          "there is no /dev/fuse: modprobe fuse; in a container it needs --device /dev/fuse"
              + " --cap-add SYS_ADMIN");
    }
    if (!Files.isReadable(DEVICE) || !Files.isWritable(DEVICE)) {
      throw new IOException(
          "/dev/fuse may not be opened by this user: chmod 666 /dev/fuse, or mount as root");
    }
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      return !entries.iterator().hasNext();
    }
  }
}
