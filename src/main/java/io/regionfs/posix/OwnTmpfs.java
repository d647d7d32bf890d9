package io.regionfs.posix;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A tmpfs of a given size, mounted by this process and there until it is unmounted: whatever ends
 * this process. Its size bounds what everybody together writes, the kernel itself too. Source:
 * tmpfs(5).
 */
public final class OwnTmpfs {
  private static final Logger LOG = LoggerFactory.getLogger(OwnTmpfs.class);
  private static final int EPERM = 1;
  private static final int EINVAL = 22;

  private OwnTmpfs() {}

  /** Whether one is mounted exactly there. */
  public static boolean isAt(Path directory) throws IOException {
    return Files.isDirectory(directory)
        && MountTable.now()
            .at(directory.toRealPath())
            .filter(mount -> mount.type().equals("tmpfs"))
            .isPresent();
  }

  /**
   * Mounts one, making the directory; if there is one, gives it the size, unless more is in use.
   *
   * @param bytes rounded up to whole huge pages
   * @param hugePages its policy, "never" for none; a kernel that knows no such makes none
   * @return false if this process may not mount
   * @throws IOException if it fails otherwise
   */
  public static boolean mount(Path directory, long bytes, String hugePages) throws IOException {
    long size = (bytes + HugePages.BYTES - 1) / HugePages.BYTES * HugePages.BYTES;
    // 0 would be no limit at all.
    String options = "mode=0700,nr_inodes=0,size=" + Math.max(size, HugePages.BYTES);
    long flags = LibC.MS_NOSUID | LibC.MS_NODEV;
    boolean there = isAt(directory);
    String huge = there || hugePages.equals("never") ? "" : ",huge=" + hugePages;
    if (there) {
      flags |= LibC.MS_REMOUNT;
    } else {
      Files.createDirectories(directory);
    }
    int errno = attach(directory, flags, options + huge);
    if (errno == EINVAL && !huge.isEmpty()) {
      errno = attach(directory, flags, options);
    }
    if (errno == 0) {
      return true;
    }
    if (there) {
      LOG.warn("{} keeps its size: errno {}, more may be in use", directory, errno);
      return true;
    }
    Files.deleteIfExists(directory);
    if (errno == EPERM) {
      return false;
    }
    throw new IOException("cannot mount a tmpfs at " + directory + ": errno " + errno);
  }

  private static int attach(Path directory, long flags, String options) {
    String target = directory.toString();
    return LibC.INSTANCE.mount("regionfs", target, "tmpfs", flags, options) == 0 ? 0 : LibC.errno();
  }

  /** Unmounts it with all that is in it, and removes the directory. */
  public static void discard(Path directory) throws IOException {
    if (isAt(directory) && LibC.INSTANCE.umount2(directory.toString(), LibC.MNT_DETACH) != 0) {
      throw new IOException("cannot unmount " + directory + ": errno " + LibC.errno());
    }
    Files.deleteIfExists(directory);
  }
}
