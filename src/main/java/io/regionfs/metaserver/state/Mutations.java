package io.regionfs.metaserver.state;

import io.regionfs.proto.FileLock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Told before anything of an inode or of the names in a directory changes. The one place that finds
 * out what a command changed, keeps the checksum of all inodes and names up to date, and saves for
 * a snapshot under way what was there when it began.
 */
final class Mutations {
  private final Changes changes = new Changes();

  /** The inodes that the command at hand may change, each once. */
  private final List<Touched> touched = new ArrayList<>();

  /** The sum of the checksums of all records: their order does not count. */
  private long sum;

  private @Nullable PreImages preImages;

  /**
   * @param made by this command
   */
  private record Touched(Inode inode, boolean made, long visible) {}

  void begin() {
    changes.clear();
  }

  /** Before the inode changes, but for the names in it. */
  void before(Inode inode) {
    if (inode.isTouched()) {
      return;
    }
    if (preImages != null) {
      preImages.save(inode);
    }
    sum -= inode.print();
    touched.add(new Touched(inode, false, inode.visible()));
    inode.setTouched(true);
  }

  /** The inode was made. */
  void added(Inode inode) {
    touched.add(new Touched(inode, true, 0));
    inode.setTouched(true);
  }

  void beforeRemoval(Inode inode) {
    before(inode);
    inode.setGone();
  }

  /** Before a name comes, goes or gets another inode. */
  void beforeNames(Directory directory) {
    before(directory);
    changes.note(directory.id);
  }

  /** The entry is in the directory now. */
  void added(Directory directory, Entry entry) {
    sum += entry.print(directory.id);
  }

  /** Before the entry goes, or gets another inode and is added again. */
  void before(Directory directory, Entry entry) {
    if (preImages != null) {
      preImages.save(directory, entry);
    }
    sum -= entry.print(directory.id);
  }

  /** These nodes are to hear of the change. */
  void tell(long inode, List<Integer> nodes) {
    changes.tell(inode, nodes);
  }

  /** Programs get privileges from the inode, which they may not have got before. */
  void privileged(Inode inode) {
    if (inode.opens != null) {
      changes.tell(inode.id, inode.opens.writers());
    }
  }

  /** A request that waited has its lock now. */
  void granted(FileLock request) {
    changes.granted(request);
  }

  /** The home shall drop the bytes of this inode. */
  void dead(int home, long inode) {
    sum += printOfDead(home, inode);
    if (preImages != null) {
      preImages.dead().added(inode);
    }
  }

  void dropped(int home, long inode) {
    sum -= printOfDead(home, inode);
    if (preImages != null) {
      preImages.dead().dropped(home, inode);
    }
  }

  private static long printOfDead(int home, long inode) {
    return new Fingerprint().add(home).add(inode).value();
  }

  /** After the command: notes what looks different now. */
  void end() {
    for (Touched one : touched) {
      Inode inode = one.inode;
      inode.setTouched(false);
      if (!inode.isGone()) {
        sum += inode.print();
      }
      if (!one.made && (inode.isGone() || inode.visible() != one.visible)) {
        changes.note(inode.id);
      }
    }
    touched.clear();
  }

  Changes changes() {
    return changes;
  }

  /** The checksum of all inodes, names and dead inodes, between two commands. */
  long sum() {
    return sum;
  }

  /** Between two commands; null ends the saving. */
  void saveTo(@Nullable PreImages images) {
    preImages = images;
  }

  boolean isSaving() {
    return preImages != null;
  }
}
