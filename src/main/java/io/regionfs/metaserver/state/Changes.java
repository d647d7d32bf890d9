package io.regionfs.metaserver.state;

import java.util.Arrays;

/**
 * The inodes that one command changed: attributes, xattrs, and names in a directory. Reused from
 * command to command.
 */
public final class Changes {
  private long[] inodes = new long[8];
  private int count;

  void clear() {
    count = 0;
  }

  /** Noting an inode twice is allowed and does no harm. */
  void note(long inode) {
    if (count == inodes.length) {
      inodes = Arrays.copyOf(inodes, 2 * count);
    }
    inodes[count++] = inode;
  }

  public int count() {
    return count;
  }

  public long inode(int index) {
    return inodes[index];
  }
}
