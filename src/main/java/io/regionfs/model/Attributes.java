package io.regionfs.model;

import java.time.Instant;

/**
 * What stat(2) tells of an inode, and where its bytes live.
 *
 * @param mode permission bits, 07777; the type is apart
 * @param size bytes; of a symlink the length of its target
 * @param allocatedBytes memory that the region holds; st_blocks is this in units of 512
 * @param home the node that holds the bytes of a file; {@link NodeId#NONE} for other types
 * @param atHome size, mtime, ctime and allocatedBytes are only what was last committed: the home
 *     knows better
 * @param capability programs get capabilities(7) from this file
 */
public record Attributes(
    InodeId inode,
    FileType type,
    int mode,
    int uid,
    int gid,
    int links,
    long size,
    long allocatedBytes,
    Instant atime,
    Instant mtime,
    Instant ctime,
    Instant btime,
    NodeId home,
    boolean atHome,
    boolean capability) {
  /** A program runs as the file's owner or group. */
  public boolean setsId() {
    return type == FileType.FILE && AttributeChange.withoutSetId(mode) != mode;
  }

  /** The same inode with what its home says of the bytes; the later of both change times counts. */
  public Attributes with(RegionStat stat) {
    Instant changed = stat.ctime().isAfter(ctime) ? stat.ctime() : ctime;
    return new Attributes(
        inode,
        type,
        mode,
        uid,
        gid,
        links,
        stat.size(),
        stat.allocatedBytes(),
        atime,
        stat.mtime(),
        changed,
        btime,
        home,
        atHome,
        capability);
  }
}
