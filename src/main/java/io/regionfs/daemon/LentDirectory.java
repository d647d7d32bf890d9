package io.regionfs.daemon;

import io.regionfs.posix.HugePages;
import io.regionfs.region.LentMemoryOptions;
import io.regionfs.region.MemoryDirectory;
import io.regionfs.verbs.DeviceLimits;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
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

  private final Path base;
  private final LentMemoryOptions options;
  private final String hugePages;
  private final boolean found;
  private final String refusal;
  private volatile boolean removable;

  private LentDirectory(
      Path base, LentMemoryOptions options, String hugePages, boolean found, String refusal) {
    this.base = base;
    this.options = options;
    this.hugePages = hugePages;
    this.found = found;
    this.refusal = refusal;
  }

  /**
   * @param device limits of the RDMA device; null: the software device has none
   * @throws IOException if the memory directory cannot be used; the message says which
   */
  static LentDirectory prepare(
      NodeOptions node, String clusterId, int uid, @Nullable DeviceLimits device)
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
    String policy = node.hugePages().policy(HugePages.policyOf(node.memoryDirectory()));
    Place place = Place.choose(base.resolve(clusterId), node.flags().passThrough(), budget, policy);
    String hugePages =
        HugePages.policyOf(
            Files.isDirectory(place.files()) ? place.files() : node.memoryDirectory());
    if (node.hugePages() == HugePageUse.ALWAYS && !HugePages.isHuge(hugePages)) {
      deleteIfEmpty(base.resolve(clusterId));
      deleteIfEmpty(base);
      throw new IOException(
          "memory directory "
              + node.memoryDirectory()
              + " has no huge pages (huge="
              + hugePages
              + "): as root, mount -t tmpfs -o huge=always,size=SIZE tmpfs DIR, and --memory-dir DIR");
    }
    PinBudget pins = PinBudget.of(budget, device, node.fabric().pinning());
    return new LentDirectory(
        base,
        new LentMemoryOptions(
            base.resolve(clusterId),
            place.files(),
            budget,
            node.hugePages() == HugePageUse.AUTO && !hugePages.equals("never"),
            pins.bytes(),
            pins.registrations(),
            LentMemoryOptions.DEFAULT_MAX_MAPPINGS),
        hugePages,
        found,
        place.refusal());
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

  /** Why the kernel must not use the files itself, for people; empty if it may. */
  String passThroughRefusal() {
    return refusal;
  }

  /** How files at home here are served, and why, for people. */
  String passThroughText(boolean passesThrough) {
    if (passesThrough) {
      return "by the kernel itself (passthrough)";
    }
    return "by the node: "
        + (refusal.isEmpty()
            ? "the kernel does not take them (it takes Linux 6.9 and CAP_SYS_ADMIN)"
            : refusal);
  }

  /** The policy of the filesystem that it is on, as {@link HugePages} says it. */
  String hugePages() {
    return hugePages;
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
    if (!deleteIfEmpty(base)) {
      LOG.warn("Memory is left in {}", base);
    }
  }

  private static boolean deleteIfEmpty(Path directory) throws IOException {
    try {
      Files.deleteIfExists(directory);
      return true;
    } catch (DirectoryNotEmptyException e) {
      return false;
    }
  }
}
