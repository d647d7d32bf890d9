package io.regionfs.fuse;

import io.regionfs.model.Attributes;
import io.regionfs.model.FileType;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One inode of {@link MemoryFileSystem}, whose lock guards it. */
final class MemoryInode {
  /** A name in a directory; the cookie says where a listing goes on. */
  record Entry(Name name, MemoryInode inode, long cookie) {}

  static final long FIRST_COOKIE = 3; // after "." and ".."

  final InodeId id;
  final FileType type;
  final Instant born = Instant.now();
  final FileBytes bytes;
  final MemoryLocks locks = new MemoryLocks();
  final Map<Name, Entry> entries = new HashMap<>();
  final TreeMap<Long, Entry> listing = new TreeMap<>();
  final Map<String, byte[]> xattrs = new TreeMap<>();
  byte[] target = new byte[0];
  MemoryInode parent;
  int mode;
  int uid;
  int gid;
  int links;
  int opens;

  /** The kernel uses the file itself, from the first open to the last close. */
  boolean passes;

  Instant atime = born;
  Instant mtime = born;
  Instant ctime = born;
  private long nextCookie = FIRST_COOKIE;

  MemoryInode(InodeId id, FileType type, int mode, @Nullable MemoryInode parent, FileBytes bytes) {
    this.bytes = bytes;
    this.id = id;
    this.type = type;
    this.mode = mode;
    this.parent = parent == null ? this : parent;
    this.links = type == FileType.DIRECTORY ? 2 : 1;
  }

  void add(Name name, MemoryInode inode) {
    Entry entry = new Entry(name, inode, nextCookie++);
    entries.put(name, entry);
    listing.put(entry.cookie, entry);
    touched();
  }

  void remove(Name name) {
    listing.remove(entries.remove(name).cookie);
    touched();
  }

  private void touched() {
    mtime = Instant.now();
    ctime = mtime;
  }

  Attributes attributes() {
    boolean file = type == FileType.FILE;
    Instant written = file && bytes.changed().isAfter(mtime) && opens >= 0 ? writtenAt() : mtime;
    return new Attributes(
        id,
        type,
        mode,
        uid,
        gid,
        links,
        file ? bytes.size() : target.length,
        bytes.allocatedBytes(),
        atime,
        written,
        ctime.isAfter(written) ? ctime : written,
        born,
        NodeId.NONE,
        false,
        false);
  }

  /** When bytes last changed, unless utimens came later. */
  private Instant writtenAt() {
    return bytes.changed().isAfter(ctime) ? bytes.changed() : mtime;
  }
}
