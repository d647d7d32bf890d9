package io.regionfs.fs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.meta.Metadata;
import io.regionfs.model.InodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Inodes that nobody has open here any more, but that stay open at the metadata service for a
 * moment, in case that they are opened again: then that costs no call.
 *
 * <p>Only inodes on which the service has leased something to this node: so it is told when one is
 * unlinked, and lets go of it. Its monitor is a leaf; asking for the lease takes no lock.
 */
final class LingeringOpens {
  private final Metadata metadata;
  private final long nanos;
  private final int most;

  /** In the order in which they were added. */
  @GuardedBy("this")
  private final LinkedHashMap<InodeId, Entry> entries = new LinkedHashMap<>();

  private record Entry(OpenInode inode, long end) {}

  /**
   * @param time how long an inode may linger; zero: not at all
   * @param most how many inodes may linger
   */
  LingeringOpens(Metadata metadata, Duration time, int most) {
    this.metadata = metadata;
    this.nanos = time.toNanos();
    this.most = most;
  }

  long nanos() {
    return nanos;
  }

  /** False if it has to be closed now. */
  boolean add(OpenInode inode) {
    if (nanos == 0) {
      return false;
    }
    synchronized (this) {
      entries.remove(inode.id());
      if (entries.size() >= most) {
        return false;
      }
      entries.put(inode.id(), new Entry(inode, System.nanoTime() + nanos));
    }
    // Not before: it is forgotten by the node first, and then here.
    return metadata.leasedNanos(inode.id()) > 0 || remove(inode.id()) == null;
  }

  /** Opened again: whether it was certainly still open at the service. */
  boolean take(InodeId inode) {
    Entry entry;
    synchronized (this) {
      entry = entries.remove(inode);
    }
    return entry != null && entry.end - System.nanoTime() > 0 && metadata.leasedNanos(inode) > 0;
  }

  /** To be closed now; null if it does not linger. */
  synchronized @Nullable OpenInode remove(InodeId inode) {
    Entry entry = entries.remove(inode);
    return entry == null ? null : entry.inode;
  }

  /** To be closed now: those whose time is over. */
  synchronized List<OpenInode> removeDue() {
    List<OpenInode> due = new ArrayList<>();
    long now = System.nanoTime();
    Iterator<Entry> all = entries.values().iterator();
    while (all.hasNext()) {
      Entry entry = all.next();
      if (entry.end - now > 0) {
        break;
      }
      due.add(entry.inode);
      all.remove();
    }
    return due;
  }

  /** To be closed now. */
  synchronized List<OpenInode> removeAll() {
    List<OpenInode> all = new ArrayList<>();
    entries.values().forEach(entry -> all.add(entry.inode));
    entries.clear();
    return all;
  }

  synchronized boolean isEmpty() {
    return entries.isEmpty();
  }
}
