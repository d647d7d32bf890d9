package io.regionfs.metaserver.state;

import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.FileType;
import io.regionfs.proto.SnapshotDead;
import io.regionfs.proto.SnapshotEntries;
import io.regionfs.proto.SnapshotInode;
import io.regionfs.proto.SnapshotRecord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * How far a snapshot has come, and what stood there when it began of the inodes and names that
 * changed before it got to them. It goes through the inodes by number, and through the names in
 * each directory by cookie. Both only grow, so what is new is known by it and left out. The dead
 * inodes come last.
 */
final class PreImages {
  private static final int ENTRIES_PER_RECORD = 256;

  private final InodeTable table;
  private final DeadImages dead;
  private final int slice;

  /** The last one when the snapshot began. */
  private final long lastInode;

  /** Written are the inodes up to this one, and of its names those up to the cookie. */
  private long inode;

  private long cookie;

  /** Names in that directory from this cookie on were not there when the snapshot began. */
  private long limit;

  private boolean inDirectory;

  /** None of what was written is in here. */
  private final TreeMap<Long, SnapshotInode> savedInodes = new TreeMap<>();

  private final Map<Long, NavigableMap<Long, DirectoryEntry>> savedEntries = new HashMap<>();

  /**
   * @param dead inodes by home
   * @param slice inodes and names, about, that are taken without letting commands in between
   */
  PreImages(
      InodeTable table, NavigableMap<Integer, NavigableSet<Long>> dead, long lastInode, int slice) {
    this.table = table;
    this.dead = new DeadImages(dead);
    this.slice = slice;
    this.lastInode = lastInode;
  }

  /** Before the inode changes. */
  void save(Inode changing) {
    if (changing.id > inode && changing.id <= lastInode && !savedInodes.containsKey(changing.id)) {
      savedInodes.put(changing.id, changing.record().build());
    }
  }

  /** Before the entry changes, and after its directory was saved. */
  void save(Directory directory, Entry entry) {
    boolean written =
        directory.id < inode || (directory.id == inode && (!inDirectory || entry.cookie <= cookie));
    if (!written && directory.id <= lastInode && entry.cookie < limitOf(directory)) {
      savedEntries
          .computeIfAbsent(directory.id, id -> new TreeMap<>())
          .putIfAbsent(entry.cookie, record(entry));
    }
  }

  DeadImages dead() {
    return dead;
  }

  private long limitOf(Directory directory) {
    if (directory.id == inode) {
      return limit;
    }
    SnapshotInode saved = savedInodes.get(directory.id);
    return saved == null ? directory.nextCookie() : saved.getNextCookie();
  }

  private static DirectoryEntry record(Entry entry) {
    return DirectoryEntry.newBuilder()
        .setName(entry.name())
        .setInode(entry.inode)
        .setCookie(entry.cookie)
        .build();
  }

  /** The next inodes and names as they stood when the snapshot began; none at the end. */
  List<SnapshotRecord> next() {
    List<SnapshotRecord> records = new ArrayList<>();
    int taken = 0;
    while (taken < slice || records.isEmpty()) {
      if (inDirectory) {
        taken += 1 + takeEntries(records);
      } else if (takeInode(records)) {
        taken++;
      } else {
        SnapshotDead batch = dead.next(slice);
        if (batch == null) {
          return records;
        }
        records.add(SnapshotRecord.newBuilder().setDead(batch).build());
        taken += batch.getInodesCount();
      }
    }
    return records;
  }

  private boolean takeInode(List<SnapshotRecord> records) {
    Inode found = table.after(inode);
    long live = found == null || found.id > lastInode ? Long.MAX_VALUE : found.id;
    SnapshotInode record;
    if (!savedInodes.isEmpty() && savedInodes.firstKey() <= live) {
      record = savedInodes.pollFirstEntry().getValue();
    } else if (found != null && found.id == live) {
      record = found.record().build();
    } else {
      return false;
    }
    inode = record.getId();
    cookie = 0;
    limit = record.getNextCookie();
    inDirectory = record.getType() == FileType.FILE_TYPE_DIRECTORY;
    records.add(SnapshotRecord.newBuilder().setInode(record).build());
    return true;
  }

  private int takeEntries(List<SnapshotRecord> records) {
    Batch batch = new Batch(savedEntries.getOrDefault(inode, new TreeMap<>()));
    if (table.find(inode) instanceof Directory directory) {
      directory.visitAfter(cookie, batch);
    }
    batch.takeSavedBelow(limit);
    int count = batch.message.getEntriesCount();
    if (count == 0) {
      inDirectory = false;
      savedEntries.remove(inode);
    } else {
      cookie = batch.message.getEntries(count - 1).getCookie();
      records.add(SnapshotRecord.newBuilder().setEntries(batch.message).build());
    }
    return count;
  }

  /** Merges the entries of the directory with the saved ones, which take precedence. */
  private final class Batch implements Predicate<Entry> {
    private final SnapshotEntries.Builder message =
        SnapshotEntries.newBuilder().setDirectory(inode);
    private final NavigableMap<Long, DirectoryEntry> saved;

    private Batch(NavigableMap<Long, DirectoryEntry> saved) {
      this.saved = saved;
    }

    private boolean isFull() {
      return message.getEntriesCount() >= Math.min(slice, ENTRIES_PER_RECORD);
    }

    private void takeSavedBelow(long end) {
      while (!isFull() && !saved.isEmpty() && saved.firstKey() < end) {
        message.addEntries(saved.pollFirstEntry().getValue());
      }
    }

    @Override
    public boolean test(Entry entry) {
      if (entry.cookie >= limit) {
        return false;
      }
      takeSavedBelow(entry.cookie);
      if (isFull()) {
        return false;
      }
      boolean changed = !saved.isEmpty() && saved.firstKey() == entry.cookie;
      message.addEntries(changed ? saved.pollFirstEntry().getValue() : record(entry));
      return !isFull();
    }
  }
}
