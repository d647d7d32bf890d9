package io.regionfs.model;

/** The number of an inode: unique in a cluster, never reused, also the kernel's FUSE node id. */
public record InodeId(long value) {
  /** The root directory; FUSE fixes its number. */
  public static final InodeId ROOT = new InodeId(1);

  @Override
  public String toString() {
    return Long.toString(value);
  }
}
