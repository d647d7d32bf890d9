package io.regionfs.fs;

import io.regionfs.meta.Metadata;
import io.regionfs.meta.NewInode;
import io.regionfs.meta.Node;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.TimeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A metadata service in memory, as small as the tests of this package allow: one flat lock, no
 * hard-link rules beyond counting. {@link #client} is it as one node sees it.
 */
final class FakeService {
  private static final int PAGE = 3;

  private final Map<Long, Inode> inodes = new TreeMap<>();
  private long lastInode = 1;
  private long lastCookie;

  /** Runs, once, before the next call of this name is carried out. */
  final AtomicReference<@Nullable Trap> trap = new AtomicReference<>();

  /** Something that happens before or after a call of this name. */
  record Trap(String call, boolean after, Runnable action) {}

  FakeService() {
    inodes.put(1L, new Inode(new InodeId(1), FileType.DIRECTORY, 0755, NodeId.NONE));
    inode(InodeId.ROOT).links = 2;
  }

  Metadata client(NodeId node) {
    return new Client(node);
  }

  synchronized Set<Integer> openers(InodeId id) {
    Inode inode = inodes.get(id.value());
    return inode == null ? Set.of() : Set.copyOf(inode.openers);
  }

  synchronized Set<Integer> writers(InodeId id) {
    Inode inode = inodes.get(id.value());
    return inode == null ? Set.of() : Set.copyOf(inode.writers);
  }

  /** Forgets a node's opens, as when its lease ran out. */
  synchronized void expire(NodeId node) {
    for (Inode inode : List.copyOf(inodes.values())) {
      inode.openers.remove(node.value());
      inode.writers.remove(node.value());
      inode.reap();
    }
  }

  private void trap(String call, boolean after) {
    Trap set = trap.get();
    if (set != null && set.call.equals(call) && set.after == after) {
      if (trap.compareAndSet(set, null)) {
        set.action.run();
      }
    }
  }

  private Inode inode(InodeId id) {
    Inode inode = inodes.get(id.value());
    if (inode == null) {
      throw new FsException(Errno.ENOENT, "inode " + id);
    }
    return inode;
  }

  private Inode directory(InodeId id) {
    Inode inode = inode(id);
    if (inode.type != FileType.DIRECTORY) {
      throw new FsException(Errno.ENOTDIR, "inode " + id);
    }
    return inode;
  }

  private final class Inode {
    final InodeId id;
    final FileType type;
    final NodeId home;
    final Set<Integer> openers = new HashSet<>();
    final Set<Integer> writers = new HashSet<>();
    final Map<Name, Long> entries = new TreeMap<>();
    final Map<Name, Long> cookies = new TreeMap<>();
    final Map<String, byte[]> xattrs = new TreeMap<>();
    byte[] target = {};
    InodeId parent = InodeId.ROOT;
    int mode;
    int uid;
    int gid;
    int links;
    boolean atHome;
    RegionStat stat;
    Instant atime = Instant.now();

    Inode(InodeId id, FileType type, int mode, NodeId home) {
      this.id = id;
      this.type = type;
      this.mode = mode;
      this.home = home;
      this.stat = new RegionStat(0, 0, atime, atime);
    }

    Attributes attributes() {
      return new Attributes(
          id,
          type,
          mode,
          uid,
          gid,
          links,
          type == FileType.SYMLINK ? target.length : stat.size(),
          stat.allocatedBytes(),
          atime,
          stat.mtime(),
          stat.ctime(),
          atime,
          home,
          atHome);
    }

    Metadata.Removal reap() {
      if (links > 0 || !openers.isEmpty() || inodes.remove(id.value()) == null) {
        return Metadata.Removal.NOTHING;
      }
      return type == FileType.FILE ? new Metadata.Removal(id, home) : Metadata.Removal.NOTHING;
    }

    void change(AttributeChange change) {
      Instant now = Instant.now();
      mode = change.mode() != null ? change.mode() : mode;
      uid = change.uid() != null ? change.uid() : uid;
      gid = change.gid() != null ? change.gid() : gid;
      atime = time(change.atime(), atime, now);
      Instant mtime = time(change.mtime(), stat.mtime(), now);
      stat = new RegionStat(stat.size(), stat.allocatedBytes(), mtime, now);
    }

    private Instant time(@Nullable TimeChange change, Instant old, Instant now) {
      if (change == null) {
        return old;
      }
      return change.time() != null ? change.time() : now;
    }
  }

  private final class Client implements Metadata {
    private final NodeId node;

    Client(NodeId node) {
      this.node = node;
    }

    @Override
    public Attributes lookup(InodeId parent, Name name) {
      synchronized (FakeService.this) {
        return entry(parent, name).attributes();
      }
    }

    private Inode entry(InodeId parent, Name name) {
      Long id = directory(parent).entries.get(name);
      if (id == null) {
        throw new FsException(Errno.ENOENT, name.toString());
      }
      return inode(new InodeId(id));
    }

    @Override
    public Attributes attributes(InodeId inode) {
      trap("attributes", false);
      synchronized (FakeService.this) {
        return inode(inode).attributes();
      }
    }

    @Override
    public DirectoryPage list(InodeId directory, long afterCookie) {
      synchronized (FakeService.this) {
        Inode inode = directory(directory);
        List<Entry> entries = new ArrayList<>();
        inode.cookies.entrySet().stream()
            .filter(e -> e.getValue() > afterCookie)
            .sorted(Map.Entry.comparingByValue())
            .forEach(
                e -> {
                  Inode child = entry(directory, e.getKey());
                  entries.add(new Entry(e.getKey(), child.id, child.type, e.getValue()));
                });
        List<Entry> page = entries.subList(0, Math.min(PAGE, entries.size()));
        return new DirectoryPage(List.copyOf(page), page.size() == entries.size(), inode.parent);
      }
    }

    @Override
    public byte[] readLink(InodeId symlink) {
      synchronized (FakeService.this) {
        if (inode(symlink).type != FileType.SYMLINK) {
          throw new FsException(Errno.EINVAL, "inode " + symlink);
        }
        return inode(symlink).target;
      }
    }

    @Override
    public Attributes create(NewInode made) {
      Attributes attributes;
      synchronized (FakeService.this) {
        Inode inode = new Inode(new InodeId(++lastInode), made.type(), made.mode(), made.home());
        inode.uid = made.uid();
        inode.gid = made.gid();
        inode.target = made.target().toByteArray();
        inode.parent = made.parent();
        add(made.parent(), made.name(), inode);
        if (made.open()) {
          inode.openers.add(node.value());
        }
        if (made.openForWrite()) {
          inode.writers.add(node.value());
          inode.atHome = true;
        }
        attributes = inode.attributes();
      }
      trap("create", true);
      return attributes;
    }

    private void add(InodeId parent, Name name, Inode inode) {
      Inode directory = directory(parent);
      if (directory.entries.putIfAbsent(name, inode.id.value()) != null) {
        throw new FsException(Errno.EEXIST, name.toString());
      }
      directory.cookies.put(name, ++lastCookie);
      inodes.put(inode.id.value(), inode);
      inode.links++;
    }

    @Override
    public Attributes link(InodeId inode, InodeId parent, Name name) {
      synchronized (FakeService.this) {
        add(parent, name, inode(inode));
        return inode(inode).attributes();
      }
    }

    @Override
    public Removal unlink(InodeId parent, Name name) {
      synchronized (FakeService.this) {
        if (entry(parent, name).type == FileType.DIRECTORY) {
          throw new FsException(Errno.EISDIR, name.toString());
        }
        return remove(parent, name);
      }
    }

    private Removal remove(InodeId parent, Name name) {
      Inode inode = entry(parent, name);
      directory(parent).entries.remove(name);
      directory(parent).cookies.remove(name);
      inode.links--;
      return inode.reap();
    }

    @Override
    public void rmdir(InodeId parent, Name name) {
      synchronized (FakeService.this) {
        if (!directory(entry(parent, name).id).entries.isEmpty()) {
          throw new FsException(Errno.ENOTEMPTY, name.toString());
        }
        remove(parent, name);
      }
    }

    @Override
    public Removal rename(
        InodeId oldParent, Name oldName, InodeId newParent, Name newName, int flags) {
      synchronized (FakeService.this) {
        Inode inode = entry(oldParent, oldName);
        inode.links++;
        remove(oldParent, oldName);
        Removal removal = Removal.NOTHING;
        if (directory(newParent).entries.containsKey(newName)) {
          removal = remove(newParent, newName);
        }
        add(newParent, newName, inode);
        inode.links--;
        return removal;
      }
    }

    @Override
    public Attributes setAttributes(InodeId inode, AttributeChange change) {
      synchronized (FakeService.this) {
        if (change.size() != null) {
          throw new IllegalArgumentException("size");
        }
        inode(inode).change(change);
        return inode(inode).attributes();
      }
    }

    @Override
    public Attributes open(InodeId id, boolean write) {
      trap("open", false);
      Attributes before;
      synchronized (FakeService.this) {
        Inode inode = inode(id);
        before = inode.attributes();
        inode.openers.add(node.value());
        if (write) {
          inode.writers.add(node.value());
          inode.atHome = true;
        }
      }
      trap("open", true);
      return before;
    }

    @Override
    public void closeWrite(InodeId id, @Nullable RegionStat stat) {
      trap("closeWrite", false);
      synchronized (FakeService.this) {
        Inode inode = inode(id);
        if (!inode.writers.remove(node.value())) {
          throw new FsException(Errno.EBADF, "no session of node " + node);
        }
        settle(inode, stat);
      }
      trap("closeWrite", true);
    }

    private void settle(Inode inode, @Nullable RegionStat stat) {
      if (inode.writers.isEmpty() && stat != null) {
        inode.stat = stat;
        inode.atHome = false;
      }
    }

    @Override
    public Removal close(InodeId id, @Nullable Instant readAt) {
      trap("close", false);
      Removal removal;
      synchronized (FakeService.this) {
        Inode inode = inode(id);
        if (!inode.openers.remove(node.value()) || inode.writers.contains(node.value())) {
          throw new FsException(Errno.EBADF, "not open by node " + node);
        }
        inode.atime = readAt != null ? readAt : inode.atime;
        removal = inode.reap();
      }
      trap("close", true);
      return removal;
    }

    @Override
    public void settle(InodeId inode, RegionStat stat) {
      synchronized (FakeService.this) {
        settle(inode(inode), stat);
      }
    }

    @Override
    public byte[] xattr(InodeId inode, byte[] name) {
      synchronized (FakeService.this) {
        byte[] value = inode(inode).xattrs.get(text(name));
        if (value == null) {
          throw new FsException(Errno.ENODATA, text(name));
        }
        return value;
      }
    }

    @Override
    public List<byte[]> xattrNames(InodeId inode) {
      synchronized (FakeService.this) {
        return inode(inode).xattrs.keySet().stream()
            .map(n -> n.getBytes(StandardCharsets.UTF_8))
            .toList();
      }
    }

    @Override
    public void setXattr(InodeId inode, byte[] name, byte[] value, int flags) {
      synchronized (FakeService.this) {
        boolean exists = inode(inode).xattrs.containsKey(text(name));
        if (flags == 1 && exists) {
          throw new FsException(Errno.EEXIST, text(name));
        }
        if (flags == 2 && !exists) {
          throw new FsException(Errno.ENODATA, text(name));
        }
        inode(inode).xattrs.put(text(name), Arrays.copyOf(value, value.length));
      }
    }

    @Override
    public void removeXattr(InodeId inode, byte[] name) {
      synchronized (FakeService.this) {
        if (inode(inode).xattrs.remove(text(name)) == null) {
          throw new FsException(Errno.ENODATA, text(name));
        }
      }
    }

    private String text(byte[] name) {
      return new String(name, StandardCharsets.UTF_8);
    }

    @Override
    public Space space() {
      return new Space(1000, 400, inodes.size());
    }

    @Override
    public List<Node> nodes() {
      return List.of(node(node));
    }

    @Override
    public Node node(NodeId id) {
      InetSocketAddress nowhere = InetSocketAddress.createUnresolved("127.0.0.1", 1);
      return new Node(id, "node" + id, nowhere, nowhere, true, 1000, 400, 1, "none");
    }

    @Override
    public ServiceReport service() {
      return new ServiceReport("test", "here", inodes.size(), 0, 0, 0);
    }

    @Override
    public void close() {}
  }
}
