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
  private final List<Told> told = new ArrayList<>();
  private final List<FileLock> granted = new ArrayList<>();

  void clear() {
    count = 0;
    told.clear();
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

  void tell(long inode, List<Integer> nodes) {
    told.add(new Told(inode, nodes));
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

  /** A change that these nodes, in ascending order, hear of whether or not they have a lease. */
  public record Told(long inode, List<Integer> nodes) {}

  /**
   * Files that give programs privileges now, for those who write them and take these away; and
   * files that were ended, for those who have them open.
   */
  public List<Told> told() {
    return told;
  }

  /** The requests that waited and have their locks now. */
  public List<FileLock> granted() {
    return granted;
  }
}
