package io.regionfs.fs;

import io.regionfs.data.Ranges;
import io.regionfs.data.Region;
import io.regionfs.data.Regions;
import io.regionfs.meta.Metadata;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.AttributeChange.TimeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.RegionStat;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What stat(2) shows, from both who know it: the metadata service, and while a file is being
 * written its home. A home that is lost leaves what was committed last; one that is only
 * unreachable is waited for.
 *
 * <p>A file's modification time is set at the home first, then at the service: so the home, whose
 * value every end of a write session commits, never has an older one than the service.
 */
final class FileAttributes {
  private static final Logger LOG = LoggerFactory.getLogger(FileAttributes.class);

  private static final AttributeChange NOTHING = AttributeChange.of(Kill.NOTHING);

  private final Metadata metadata;
  private final Regions regions;
  private final OpenInodes inodes;

  FileAttributes(Metadata metadata, Regions regions, OpenInodes inodes) {
    this.metadata = metadata;
    this.regions = regions;
    this.inodes = inodes;
  }

  /** The service's attributes, with the home's word on size and times where it counts. */
  Attributes merged(Attributes committed) {
    Attributes merged = atHome(committed);
    InodePages pages = inodes.pages(committed.inode());
    if (pages != null) {
      pages.sizeTold(merged.size());
    }
    return merged;
  }

  private Attributes atHome(Attributes committed) {
    if (committed.type() != FileType.FILE || !committed.atHome()) {
      return committed;
    }
    try {
      return committed.with(statAtHome(committed));
    } catch (FsException e) {
      acceptLoss(committed, e);
      return committed;
    }
  }

  private RegionStat statAtHome(Attributes file) {
    try (var hold = inodes.pin(file.inode())) {
      return hold != null ? hold.inode().region().stat() : regions.stat(file.inode(), file.home());
    }
  }

  /**
   * chmod, chown, utimens and truncate; the size comes first, since it changes times. EISDIR for
   * the size of a directory, EINVAL of another inode that is no file.
   */
  Attributes change(InodeId inode, AttributeChange change) {
    Attributes now = null;
    if (change.size() != null || change.mtime() != null) {
      now = metadata.attributes(inode);
    }
    if (now != null && change.size() != null) {
      resize(now, change.size(), change.kill());
    }
    AttributeChange rest = withoutNeedlessKill(inode, withoutSize(change, now));
    return merged(
        isNothing(rest) ? metadata.attributes(inode) : metadata.setAttributes(inode, rest));
  }

  private void resize(Attributes file, long size, Kill kill) {
    if (file.type() != FileType.FILE) {
      throw new FsException(
          file.type() == FileType.DIRECTORY ? Errno.EISDIR : Errno.EINVAL,
          "size of inode " + file.inode());
    }
    Ranges.checkSize(size);
    try (var hold = inodes.open(file.inode(), true)) {
      hold.inode().kill(kill);
      hold.inode().region().truncate(size);
    }
  }

  /** What is the service's part; a file's modification time is at its home when this returns. */
  private AttributeChange withoutSize(AttributeChange change, @Nullable Attributes now) {
    TimeChange mtime = change.mtime();
    if (mtime != null && now != null && now.type() == FileType.FILE) {
      Instant time = mtime.time() != null ? mtime.time() : Instant.now();
      setModifiedAtHome(now, time);
      mtime = new TimeChange(time);
    }
    return new AttributeChange(
        change.mode(), change.uid(), change.gid(), null, change.atime(), mtime, change.kill());
  }

  /** What would change nothing else is only sent if there is something to kill. */
  private AttributeChange withoutNeedlessKill(InodeId inode, AttributeChange change) {
    if (!change.equals(AttributeChange.of(change.kill()))
        || Privileges.has(metadata.attributes(inode), change.kill())) {
      return change;
    }
    return NOTHING;
  }

  private void setModifiedAtHome(Attributes file, Instant time) {
    try (var hold = inodes.pin(file.inode())) {
      if (hold != null) {
        hold.inode().region().setModified(time);
      } else if (file.atHome() || file.size() > 0) {
        try (Region region = regions.open(file.inode(), file.home(), false)) {
          region.setModified(time);
        }
      }
    } catch (FsException e) {
      acceptLoss(file, e);
    }
  }

  private static boolean isNothing(AttributeChange change) {
    return change.equals(NOTHING);
  }

  /** Throws what says that the home was waited for in vain; else the home or the region is gone. */
  private static void acceptLoss(Attributes file, FsException e) {
    if (e.errno() == Errno.EINTR || e.errno() == Errno.ETIMEDOUT) {
      throw e;
    }
    LOG.debug("inode {} without its home {}: {}", file.inode(), file.home(), e.getMessage());
  }
}
