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
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * All inodes by number, and per home the dead ones: files without name and open whose bytes that
 * home may still hold.
 */
public final class Inodes {
  private static final int ROOT_MODE = 0755;

  private final Map<Long, Inode> byId = new HashMap<>();
  private final TreeMap<Integer, TreeSet<Long>> deadByHome = new TreeMap<>();
  private long lastId = InodeId.ROOT.value();

  private final Mutations mutations;

  Inodes(Mutations mutations) {
    this.mutations = mutations;
    Create create = Create.newBuilder().setType(FileType.FILE_TYPE_DIRECTORY).build();
    byId.put(lastId, new Directory(lastId, null, create, 0, ROOT_MODE, 0));
  }

  @Nullable Inode find(long id) {
    return byId.get(id);
  }

  /** ENOENT. */
  Inode get(long id) {
    Inode inode = byId.get(id);
    if (inode == null) {
      throw new Refusal(Errno.ENOENT, "no inode " + id);
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

  /** The number for a new inode: the proposed one, unless it could have been used before. */
  long nextId(long proposed) {
    lastId = Math.max(proposed, lastId + 1);
    return lastId;
  }

  long lastId() {
    return lastId;
  }

  public int count() {
    return byId.size();
  }

  /** Gives a new inode its first name. */
  void add(Inode inode, Directory parent, ByteString name) {
    byId.put(inode.id, inode);
    enter(parent, name, inode);
  }

  /** To be called before an inode, but for the names in it, is changed. */
  void touch(Inode inode) {
    mutations.before(inode);
  }

  /** The name must be free. */
  void enter(Directory directory, ByteString name, Inode inode) {
    mutations.namesChanged(directory);
    directory.add(name, inode);
  }

  void strike(Directory directory, Directory.Entry entry) {
    mutations.namesChanged(directory);
    directory.remove(entry);
  }

  /** Puts another inode behind the name. */
  void replace(Directory directory, Directory.Entry entry, Inode inode) {
    mutations.namesChanged(directory);
    entry.inode = inode;
  }

  /** One name in this parent is gone, by removal or because another inode took it. */
  Removal unlinked(Inode inode, Directory parent, long now) {
    touch(inode);
    inode.changed(now);
    if (inode.isDirectory()) {
      inode.links = 0;
      parent.links--;
    } else {
      inode.links--;
    }
    if (inode.links == 0) {
      mutations.unlinked(inode);
    }
    return removeIfDead(inode);
  }

  /** Forgets the inode if it is dead; a file then waits for its home to drop the bytes. */
  Removal removeIfDead(Inode inode) {
    if (!inode.isDead()) {
      return Removal.getDefaultInstance();
    }
    byId.remove(inode.id);
    mutations.removed(inode);
    if (inode.home == 0) {
      return Removal.getDefaultInstance();
    }
    deadByHome.computeIfAbsent(inode.home, home -> new TreeSet<>()).add(inode.id);
    return Removal.newBuilder().setDeadInode(inode.id).setHome(inode.home).build();
  }

  /** Dead inodes of a home, up to a number of them. */
  public List<Long> dead(int home, int limit) {
    TreeSet<Long> dead = deadByHome.get(home);
    return dead == null ? List.of() : dead.stream().limit(limit).toList();
  }

  void dropped(int home, List<Long> ids) {
    TreeSet<Long> dead = deadByHome.get(home);
    if (dead != null) {
      ids.forEach(dead::remove);
      if (dead.isEmpty()) {
        deadByHome.remove(home);
      }
    }
  }

  void addTo(Fingerprint print) {
    print.add(lastId);
    new TreeMap<>(byId).values().forEach(inode -> inode.addTo(print));
    deadByHome.forEach((home, ids) -> print.add(home).add(ids.hashCode()).add(ids.size()));
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
