package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.model.Errno;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.proto.Create;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Removal;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * All inodes by number, and per home the dead ones: files without name and open whose bytes that
 * home may still hold.
 */
public final class Inodes {
  private static final int ROOT_MODE = 0755;

  /** Larger attributes are unlikely to be those of many inodes. */
  private static final int MAX_SHARED_BYTES = 1024;

  private final Mutations mutations;
  private final InodeTable table = new InodeTable();
  private final TreeMap<Integer, NavigableSet<Long>> deadByHome = new TreeMap<>();

  /** How many inodes have their home there. */
  private final Map<Integer, Integer> countByHome = new HashMap<>();

  private final Shared<Xattrs> sharedXattrs = new Shared<>();
  private final Shared<ByteString> sharedBytes = new Shared<>();
  private final Exports exports = new Exports();
  private long lastId;

  Inodes(Mutations mutations) {
    this.mutations = mutations;
  }

  /** Of a namespace that is new. */
  void addRoot() {
    lastId = InodeId.ROOT.value();
    Create create = Create.newBuilder().setType(FileType.FILE_TYPE_DIRECTORY).build();
    put(new Directory(lastId, lastId, create, 0, ROOT_MODE, 0));
  }

  @Nullable Inode find(long id) {
    return table.find(id);
  }

  Exports exports() {
    return exports;
  }

  /** Something done with a name. */
  @FunctionalInterface
  interface NameUse {
    void with(Directory directory, Entry entry);
  }

  /** Walks all directories. */
  void forEachNameOf(Inode inode, NameUse use) {
    for (long id = 1; id <= lastId; id++) {
      if (table.find(id) instanceof Directory directory) {
        directory.visitAfter(
            0,
            entry -> {
              if (entry.inode == inode.id) {
                use.with(directory, entry);
              }
              return true;
            });
      }
    }
  }

  InodeTable table() {
    return table;
  }

  /** ENOENT. */
  Inode get(long id) {
    Inode inode = table.find(id);
    if (inode == null) {
      throw new Refusal(Errno.ENOENT, "no inode " + id);
    }
    return inode;
  }

  /** The inode behind a name: it is there as long as the name. */
  Inode of(Entry entry) {
    Inode inode = table.find(entry.inode);
    if (inode == null) {
      throw new IllegalStateException("a name without inode " + entry.inode);
    }
    return inode;
  }

  /** A directory that can take and lose names. ENOENT (also when it was removed), ENOTDIR. */
  Directory directory(long id) {
    if (!(get(id) instanceof Directory directory)) {
      throw new Refusal(Errno.ENOTDIR, "inode " + id + " is no directory");
    }
    if (directory.links == 0) {
      throw new Refusal(Errno.ENOENT, "directory " + id + " was removed");
    }
    return directory;
  }

  /** Is the directory the other inode, or somewhere below it? */
  boolean isWithin(Directory directory, Inode other) {
    Inode up = directory;
    while (up != other && up instanceof Directory child && child.parent != child.id) {
      up = get(child.parent);
    }
    return up == other;
  }

  /** The number for a new inode: the proposed one, unless it could have been used before. */
  long nextId(long proposed) {
    lastId = Math.max(proposed, lastId + 1);
    return lastId;
  }

  long lastId() {
    return lastId;
  }

  void setLastId(long id) {
    lastId = id;
  }

  public int count() {
    return table.count();
  }

  /** Gives a new inode its first name. */
  void add(Inode inode, Directory parent, ByteString name) {
    put(inode);
    enter(parent, name, inode);
  }

  /** Takes in an inode whose names come with their directories. */
  void put(Inode inode) {
    table.add(inode);
    mutations.added(inode);
    countByHome.merge(inode.home, 1, Integer::sum);
  }

  /** To be called before an inode, but for the names in it, is changed. */
  void touch(Inode inode) {
    mutations.before(inode);
  }

  /** After a change of its mode or attributes, which those who write it must hear of. */
  void mayHaveGivenPrivileges(Inode inode) {
    if (inode.givesPrivileges()) {
      mutations.privileged(inode);
    }
  }

  void setXattrs(Inode inode, Xattrs xattrs) {
    touch(inode);
    if (xattrs.isEmpty()) {
      inode.xattrs = null;
    } else {
      boolean small = xattrs.totalBytes() <= MAX_SHARED_BYTES;
      inode.xattrs = small ? sharedXattrs.of(xattrs) : xattrs;
    }
  }

  /** A name or value of an attribute, which many inodes may have. */
  ByteString shared(ByteString bytes) {
    return bytes.size() <= MAX_SHARED_BYTES ? sharedBytes.of(bytes) : bytes;
  }

  /** The name must be free. */
  void enter(Directory directory, ByteString name, Inode inode) {
    mutations.beforeNames(directory);
    Entry entry = directory.add(name, inode.id);
    exports.entered(directory, entry);
    mutations.added(directory, entry);
  }

  void strike(Directory directory, Entry entry) {
    mutations.beforeNames(directory);
    mutations.before(directory, entry);
    exports.struck(directory, entry);
    directory.remove(entry);
  }

  /** Puts another inode behind the name. */
  void replace(Directory directory, Entry entry, Inode inode) {
    mutations.beforeNames(directory);
    mutations.before(directory, entry);
    exports.struck(directory, entry);
    entry.inode = inode.id;
    exports.entered(directory, entry);
    mutations.added(directory, entry);
  }

  /** One name in this parent is gone, by removal or because another inode took it. */
  Removal unlinked(Inode inode, Directory parent, long now) {
    touch(inode);
    inode.changed(now);
    if (inode.isDirectory()) {
      inode.links = 0;
      touch(parent);
      parent.links--;
    } else {
      inode.links--;
    }
    return removeIfDead(inode);
  }

  /** Forgets the inode if it is dead; a file then waits for its home to drop the bytes. */
  Removal removeIfDead(Inode inode) {
    if (!inode.isDead()) {
      return Removal.getDefaultInstance();
    }
    mutations.beforeRemoval(inode);
    table.remove(inode);
    exports.remove(inode.id);
    countByHome.computeIfPresent(inode.home, (home, count) -> count == 1 ? null : count - 1);
    if (inode.home == 0) {
      return Removal.getDefaultInstance();
    }
    addDead(inode.home, inode.id);
    return Removal.newBuilder().setDeadInode(inode.id).setHome(inode.home).build();
  }

  void addDead(int home, long id) {
    if (deadByHome.computeIfAbsent(home, key -> new TreeSet<>()).add(id)) {
      mutations.dead(home, id);
    }
  }

  /** Dead inodes of a home, up to a number of them. */
  public List<Long> dead(int home, int limit) {
    NavigableSet<Long> dead = deadByHome.get(home);
    return dead == null ? List.of() : dead.stream().limit(limit).toList();
  }

  /** By home; homes and inodes in ascending order. */
  NavigableMap<Integer, NavigableSet<Long>> dead() {
    return deadByHome;
  }

  void dropped(int home, List<Long> ids) {
    NavigableSet<Long> dead = deadByHome.get(home);
    if (dead == null) {
      return;
    }
    for (long id : ids) {
      if (dead.remove(id)) {
        mutations.dropped(home, id);
      }
    }
    if (dead.isEmpty()) {
      deadByHome.remove(home);
    }
  }

  /** Whether this node holds bytes, or may still do so. */
  boolean isHome(int node) {
    return countByHome.containsKey(node) || deadByHome.containsKey(node);
  }

  /** Refuses what cannot be the name of an entry: ENAMETOOLONG, EINVAL. */
  static void checkName(ByteString name) {
    int size = name.size();
    if (size > Name.MAX_BYTES) {
      throw new Refusal(Errno.ENAMETOOLONG, "name of " + size + " bytes");
    }
    boolean dots = size <= 2 && size > 0 && name.byteAt(0) == '.' && name.byteAt(size - 1) == '.';
    if (size == 0 || dots) {
      throw new Refusal(Errno.EINVAL, "not a name: \"" + name.toStringUtf8() + "\"");
    }
    for (int i = 0; i < size; i++) {
      if (name.byteAt(i) == '/' || name.byteAt(i) == 0) {
        throw new Refusal(Errno.EINVAL, "name with a slash or NUL");
      }
    }
  }
}
