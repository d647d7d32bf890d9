package io.regionfs.daemon;

import io.regionfs.region.LentMemoryOptions;
import io.regionfs.region.MemoryDirectory;
import io.regionfs.verbs.device.MemoryLock;
import io.regionfs.verbs.disni.FabricSelection;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a node keeps what it lends: below the directory the user gave, one of the node's own, and
 * in that one per cluster. Bytes outlive the process as long as their names do: those of other
 * clusters are removed when the node starts, those of its own when it ends and nothing is lent any
 * more.
 */
public final class LentDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LentDirectory.class);
  private static final long LEAST_PINNED = 64L << 20;

  private final Path base;
  private final LentMemoryOptions options;
  private final boolean found;
  private volatile boolean removable;

  private LentDirectory(Path base, LentMemoryOptions options, boolean found) {
    this.base = base;
    this.options = options;
    this.found = found;
  }

  /**
   * @throws IOException if the memory directory cannot be used; the message says which
   */
  static LentDirectory prepare(
      NodeOptions node, String clusterId, int uid, FabricSelection.Device device)
      throws IOException {
    Path base = below(node.memoryDirectory(), node.stateDirectory(), uid);
    if (!Files.isDirectory(node.memoryDirectory())) {
      throw new IOException(
          "memory directory " + node.memoryDirectory() + " does not exist: give --memory-dir");
    }
    Directories.makePrivate(base);
    MemoryDirectory.deleteOthers(base, clusterId);
    boolean found = Files.isDirectory(base.resolve(clusterId));
    long budget =
        node.memoryBytes() > 0
            ? node.memoryBytes()
            : Files.getFileStore(node.memoryDirectory()).getUsableSpace() / 2;
    long pinned =
        device == FabricSelection.Device.SOFT
            ? budget
            : Math.min(budget, MemoryLock.ofThisProcess().lockableBytes() / 2);
    return new LentDirectory(
        base,
        new LentMemoryOptions(base.resolve(clusterId), budget, Math.max(pinned, LEAST_PINNED)),
        found);
  }

  private static Path below(Path memoryDirectory, Path stateDirectory, int uid) {
    return memoryDirectory.resolve("regionfs-" + uid + "-" + Directories.nameOf(stateDirectory));
  }

  Path base() {
    return base;
  }

  /** Memory of an earlier run of this node in this cluster was there. */
  boolean wasFound() {
    return found;
  }

  LentMemoryOptions options() {
    return options;
  }

  /** Says at the end whether nobody needs the bytes any more. */
  void settle(boolean nobodyNeedsIt) {
    removable = nobodyNeedsIt;
  }

  /** Removes what is not needed. The memory must be closed before. */
  @Override
  public void close() throws IOException {
    if (removable) {
      remove(base);
    }
  }

  /** Removes a node's directory with all that no process uses. */
  public static void remove(Path base) throws IOException {
    MemoryDirectory.deleteOthers(base, "");
    try {
      Files.deleteIfExists(base);
    } catch (DirectoryNotEmptyException e) {
      LOG.warn("Memory is left in {}", base, e);
    }
  }
}
