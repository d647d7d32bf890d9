package io.regionfs.fs;

import io.regionfs.data.Region;
import io.regionfs.data.Regions;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The region of one open inode, and whether it has one. A file gets its region with its first write
 * session, from the node that begins it; a node that only reads attaches when it has to.
 *
 * <p>Confined by the lock of the {@link OpenInode} it belongs to, except {@link #region}.
 */
final class Attachment {
  private static final Logger LOG = LoggerFactory.getLogger(Attachment.class);

  private final InodeId id;
  private final Regions regions;
  private NodeId home = NodeId.NONE;

  /** As far as this node knows, nobody ever wrote it: there may be no region. */
  private boolean untouched;

  /** Its first write session may have begun a moment ago: the region may be about to be made. */
  private boolean justBegun;

  /** This node's session is the first: it makes the region. Until then, this is all there is. */
  private @Nullable RegionStat unwritten;

  /** Times of changes in this node's write session are later than what the service had. */
  private @Nullable Instant notBefore;

  private volatile @Nullable Region region;

  Attachment(InodeId id, Regions regions) {
    this.id = id;
    this.regions = regions;
  }

  /** The region if it is attached; needs no lock. */
  @Nullable Region region() {
    return region;
  }

  /** Where the region is or would be; NONE until anything was learned. */
  NodeId home() {
    return home;
  }

  boolean untouched() {
    return untouched;
  }

  boolean justBegun() {
    return justBegun;
  }

  /** The service's attributes of a file, as they were before this node's session if it has one. */
  void learn(Attributes attributes) {
    home = attributes.home();
    untouched = attributes.size() == 0 && !attributes.atHome();
    justBegun = attributes.size() == 0 && attributes.atHome();
  }

  /** This node's write session has begun; the attributes are those from before. */
  void beginSession(Attributes before) {
    learn(before);
    noEarlierThan(before.ctime());
    if (untouched && region == null) {
      unwritten = statOf(before);
    }
    makeIfFirst();
  }

  /** If this node has to make the region: with the modification time the file had so far. */
  void makeIfFirst() {
    RegionStat unwritten = this.unwritten;
    if (unwritten != null) {
      make(unwritten.mtime());
    }
  }

  /** The service's clock or another home's may be ahead of this region's. */
  private void noEarlierThan(Instant time) {
    notBefore = time;
    Region region = this.region;
    if (region != null) {
      region.noEarlierThan(time);
    }
  }

  /** This node made the file, and nobody else had its session before. */
  void created(Attributes file, boolean write) {
    home = file.home();
    untouched = region == null && !write;
    if (write) {
      noEarlierThan(file.ctime());
    }
    if (write && region == null) {
      unwritten = statOf(file);
      make(file.mtime());
    }
  }

  /** This node made the file, but others may have written it meanwhile. */
  void createdAndUsed() {
    if (region == null) {
      make(null);
    }
  }

  @SuppressWarnings("MustBeClosed") // closed here or by close()
  private void make(@Nullable Instant mtime) {
    Region made = regions.open(id, home, true);
    try {
      if (mtime != null) {
        made.setModified(mtime);
      }
    } catch (RuntimeException e) {
      made.close();
      throw e;
    }
    attached(made);
  }

  /** Attaches a region that must exist. EIO if it is lost, or if it is not made yet. */
  @SuppressWarnings("MustBeClosed") // closed here or by close()
  void attach() {
    Region existing = regions.open(id, home, false);
    try {
      if (justBegun) {
        existing.stat();
      }
    } catch (RuntimeException e) {
      existing.close();
      throw e;
    }
    attached(existing);
  }

  private void attached(Region region) {
    this.region = region;
    if (notBefore != null) {
      region.noEarlierThan(notBefore);
    }
    untouched = false;
    justBegun = false;
    unwritten = null;
  }

  /** What a write session's end commits; null if the home is gone, or has lost the region. */
  @Nullable RegionStat settled() {
    if (unwritten != null) {
      return unwritten;
    }
    try {
      Region region = this.region;
      return region != null ? region.settled() : regions.stat(id, home);
    } catch (FsException e) {
      if (e.errno() == Errno.EINTR || e.errno() == Errno.ETIMEDOUT) {
        throw e;
      }
      LOG.warn("inode {} is closed with its home {} away: {}", id, home, e.getMessage());
      return null;
    }
  }

  /**
   * This node's write session has ended.
   *
   * @return it should have made the region, but could not: nobody can have written
   */
  boolean endSession() {
    boolean unmade = unwritten != null;
    unwritten = null;
    return unmade;
  }

  /** Lets go of the region; may be called again. */
  void close() {
    Region region = this.region;
    if (region != null) {
      this.region = null;
      region.close();
    }
  }

  private static RegionStat statOf(Attributes attributes) {
    return new RegionStat(
        attributes.size(), attributes.allocatedBytes(), attributes.mtime(), attributes.ctime());
  }
}
