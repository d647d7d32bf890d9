package io.regionfs.metaserver.state;

import io.regionfs.proto.FileLock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The inodes that one command changed, as a client can see it: attributes, xattrs, and names in a
 * directory. What a command made is not among them, its directory is. Reused from command to
 * command.
 */
public final class Changes {
  private long[] inodes = new long[8];
  private int count;
  private long unlinked;
  private List<Integer> openAt = List.of();
  private long privileged;
  private List<Integer> writtenAt = List.of();
  private final List<FileLock> granted = new ArrayList<>();

  void clear() {
    count = 0;
    unlinked = 0;
    openAt = List.of();
    privileged = 0;
    writtenAt = List.of();
    granted.clear();
  }

  void note(long inode) {
    for (int i = 0; i < Math.min(count, 8); i++) {
      if (inodes[i] == inode) {
        return;
      }
    }
    if (count == inodes.length) {
      inodes = Arrays.copyOf(inodes, 2 * count);
    }
    inodes[count++] = inode;
  }

  void unlinked(long inode, List<Integer> nodes) {
    unlinked = inode;
    openAt = nodes;
  }

  void privileged(long inode, List<Integer> nodes) {
    privileged = inode;
    writtenAt = nodes;
  }

  void granted(FileLock request) {
    granted.add(request);
  }

  public int count() {
    return count;
  }

  /** An inode may stand here twice if there are many. */
  public long inode(int index) {
    return inodes[index];
  }

  /** The inode that lost its last name while it is open; 0: none. */
  public long unlinked() {
    return unlinked;
  }

  /** The inode that gives programs privileges, which those who write it take away; 0: none. */
  public long privileged() {
    return privileged;
  }

  /** The nodes that write {@link #privileged}, in ascending order. */
  public List<Integer> writtenAt() {
    return writtenAt;
  }

  /** The requests that waited and have their locks now. */
  public List<FileLock> granted() {
    return granted;
  }

  /** The nodes that have {@link #unlinked} open, in ascending order. */
  public List<Integer> openAt() {
    return openAt;
  }
}
