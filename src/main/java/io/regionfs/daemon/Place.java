package io.regionfs.daemon;

import io.regionfs.posix.MountTable;
import io.regionfs.posix.OwnTmpfs;
import io.regionfs.region.MemoryDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the files of regions are. The kernel may use them itself only in a tmpfs of their own,
 * whose size is what the node lends: what the kernel writes, no budget is asked for.
 *
 * @param refusal why the kernel must not use them, for people; empty if it may
 */
record Place(Path files, String refusal) {
  private static final String OWN = "bytes";

  /**
   * Memory of an earlier run stays where it is. Else a tmpfs is mounted if passing through is
   * wanted and this process may.
   *
   * @param directory of the cluster's memory; need not be there
   */
  static Place choose(Path directory, boolean wanted, long budgetBytes, String hugePages)
      throws IOException {
    Path own = directory.resolve(OWN);
    if (OwnTmpfs.isAt(own)) {
      OwnTmpfs.mount(own, budgetBytes, hugePages);
      return new Place(own, wanted ? "" : "nopassthrough");
    }
    if (!wanted) {
      return new Place(directory, "nopassthrough");
    }
    if (MemoryDirectory.holdsRegions(directory)) {
      return new Place(directory, "the memory of an earlier mount is not in a tmpfs of its own");
    }
    Path base = directory.getParent();
    if (base == null || !isOnTmpfs(base)) {
      return new Place(directory, "the memory directory is no tmpfs");
    }
    Directories.makePrivate(directory);
    if (!OwnTmpfs.mount(own, budgetBytes, hugePages)) {
      return new Place(directory, "it takes the right to mount (CAP_SYS_ADMIN)");
    }
    return new Place(own, "");
  }

  private static boolean isOnTmpfs(Path path) throws IOException {
    return Files.isDirectory(path)
        && MountTable.now()
            .above(path.toRealPath())
            .filter(mount -> mount.type().equals("tmpfs"))
            .isPresent();
  }
}
