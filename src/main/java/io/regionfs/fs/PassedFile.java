package io.regionfs.fs;

import io.regionfs.data.BackingFile;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the kernel uses the file of one open inode itself. The kernel allows no mixture, so what
 * was decided stays until nobody has the inode open. Confined by the lock of the {@link OpenInode}
 * it belongs to.
 */
final class PassedFile {
  private static final Logger LOG = LoggerFactory.getLogger(PassedFile.class);

  private final InodeId id;
  private final PassPolicy policy;
  private boolean decided;

  /** Whether there is one may be asked without the lock. */
  private volatile @Nullable BackingFile file;

  PassedFile(InodeId id, PassPolicy policy) {
    this.id = id;
    this.policy = policy;
  }

  /** Decides if that was not done yet; null: the kernel asks us for everything. */
  @Nullable BackingFile decide(Participation part) {
    if (!decided) {
      try {
        file = policy.allows(part.home()) ? part.passThrough() : null;
      } catch (FsException e) {
        LOG.debug("inode {} is not passed through: {}", id, e.getMessage());
      }
      decided = true;
    }
    return file;
  }

  /** For any thread. */
  boolean isPassed() {
    return file != null;
  }

  /**
   * Nobody has it open any more: its region has taken over what the kernel did when this returns.
   *
   * @return whether the kernel has read it
   */
  boolean end() {
    BackingFile ended = file;
    file = null;
    decided = false;
    if (ended == null) {
      return false;
    }
    boolean read = ended.wasRead();
    ended.close();
    return read;
  }
}
