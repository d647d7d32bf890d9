package io.regionfs.metaserver.state;

import java.util.ArrayList;
import java.util.List;

/**
 * Told before an inode or the names in a directory change: the one place that finds out what a
 * command changed. Whoever changes an inode calls {@link #before} first.
 */
final class Mutations {
  private final Changes changes = new Changes();

  /** The inodes that the command at hand may change, each once. */
  private final List<Touched> touched = new ArrayList<>();

  private record Touched(Inode inode, long visible) {}

  void begin() {
    changes.clear();
    touched.clear();
  }

  /** A command touches a handful of inodes, or ends all opens of a node, each of another inode. */
  void before(Inode inode) {
    int last = touched.size() - 1;
    for (int i = last; i >= 0 && i > last - 8; i--) {
      if (touched.get(i).inode == inode) {
        return;
      }
    }
    touched.add(new Touched(inode, inode.visible()));
  }

  void namesChanged(Directory directory) {
    before(directory);
    changes.note(directory.id);
  }

  void removed(Inode inode) {
    changes.note(inode.id);
  }

  /** The inode lost its last name. */
  void unlinked(Inode inode) {
    if (inode.opens != null) {
      changes.unlinked(inode.id, inode.opens.nodes());
    }
  }

  /** After the command: notes what looks different now. */
  Changes end() {
    for (Touched one : touched) {
      if (one.inode.visible() != one.visible) {
        changes.note(one.inode.id);
      }
    }
    return changes;
  }

  Changes changes() {
    return changes;
  }
}
