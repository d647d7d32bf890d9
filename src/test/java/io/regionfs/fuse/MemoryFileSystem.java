package io.regionfs.fuse;

import io.regionfs.data.BackingFile;
import io.regionfs.data.ReadSink;
import io.regionfs.data.TransferBuffer;
import io.regionfs.fs.FileSystem;
import io.regionfs.fs.LockRequest;
import io.regionfs.fs.OpenDirectory;
import io.regionfs.fs.OpenFile;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.AttributeChange.TimeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Caller;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.posix.LibC;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A whole filesystem in this process's memory: what the mount is tested with, and the baseline of
 * the benchmarks. One lock guards the tree, each file has its own for its bytes.
 */
class MemoryFileSystem implements FileSystem {
  private static final int O_ACCMODE = 3;
  private static final int O_WRONLY = 1;
  private static final int O_TRUNC = 01000;
  private static final int XATTR_CREATE = 1;
  private static final int XATTR_REPLACE = 2;
  private static final int RENAME_NOREPLACE = 1;
  private static final long CAPACITY = 1L << 32;

  /** Buffers that are out; 0 when nothing leaks. */
  final AtomicInteger buffersOut = new AtomicInteger();

  /** Files and directories that are open. */
  final AtomicInteger opensOut = new AtomicInteger();

  /** What privileges were to go, by each change that says so. */
  final ConcurrentLinkedQueue<Kill> kills = new ConcurrentLinkedQueue<>();

  /** Of the last open. */
  volatile int openFlags;

  /** Requests that filled pages of the kernel, and that brought them back. */
  final AtomicInteger pageReads = new AtomicInteger();

  final AtomicInteger pageWrites = new AtomicInteger();
  volatile Runnable beforePagesAreSaved = () -> {};

  /** Bytes that the last one of the former asked for. */
  volatile int lastPageRead;

  /** Requests of read(2) and write(2). */
  final AtomicInteger calls = new AtomicInteger();

  /** What the mount said last; false before. */
  volatile boolean passThroughUsable;

  private volatile @Nullable ForgetListener listener;
  private final Map<InodeId, MemoryInode> inodes = new HashMap<>();
  private long lastInode = InodeId.ROOT.value();

  MemoryFileSystem() {
    inodes.put(
        InodeId.ROOT,
        new MemoryInode(InodeId.ROOT, FileType.DIRECTORY, 0755, null, new MemoryFile()));
  }

  /** The bytes of a file; a {@link BackingFile} may be used by the kernel itself. */
  FileBytes newFile() {
    return new MemoryFile();
  }

  private MemoryInode inode(InodeId id) {
    MemoryInode inode = inodes.get(id);
    if (inode == null) {
      throw new FsException(Errno.ESTALE, "inode " + id);
    }
    return inode;
  }

  private MemoryInode directory(InodeId id) {
    MemoryInode inode = inode(id);
    if (inode.type != FileType.DIRECTORY) {
      throw new FsException(Errno.ENOTDIR, "inode " + id);
    }
    return inode;
  }

  private MemoryInode named(InodeId parent, Name name) {
    MemoryInode.Entry entry = directory(parent).entries.get(name);
    if (entry == null) {
      throw new FsException(Errno.ENOENT, name.toString());
    }
    return entry.inode();
  }

  @Override
  public synchronized Attributes lookup(InodeId parent, Name name) {
    return named(parent, name).attributes();
  }

  @Override
  public synchronized Attributes attributes(InodeId id) {
    return inode(id).attributes();
  }

  @Override
  public synchronized Attributes setAttributes(InodeId id, AttributeChange change) {
    kills.add(change.kill());
    MemoryInode inode = inode(id);
    Instant now = Instant.now();
    if (change.mode() != null) {
      inode.mode = change.mode();
    }
    if (change.uid() != null) {
      inode.uid = change.uid();
    }
    if (change.gid() != null) {
      inode.gid = change.gid();
    }
    if (change.size() != null) {
      inode.bytes.truncate(change.size());
    }
    if (change.atime() != null) {
      inode.atime = time(change.atime(), now);
    }
    inode.mtime = change.mtime() == null ? inode.attributes().mtime() : time(change.mtime(), now);
    inode.ctime = Instant.now();
    return inode.attributes();
  }

  private static Instant time(TimeChange change, Instant now) {
    return change.time() == null ? now : change.time();
  }

  @Override
  public synchronized byte[] readLink(InodeId id) {
    return inode(id).target;
  }

  private MemoryInode make(InodeId parentId, Name name, FileType type, int mode, Caller caller) {
    MemoryInode parent = directory(parentId);
    if (parent.entries.containsKey(name)) {
      throw new FsException(Errno.EEXIST, name.toString());
    }
    MemoryInode inode =
        new MemoryInode(
            new InodeId(++lastInode),
            type,
            mode & ~caller.umask(),
            parent,
            type == FileType.FILE ? newFile() : new MemoryFile());
    inode.uid = caller.uid();
    inode.gid = caller.gid();
    inodes.put(inode.id, inode);
    parent.add(name, inode);
    if (type == FileType.DIRECTORY) {
      parent.links++;
    }
    return inode;
  }

  @Override
  public synchronized Attributes makeFile(InodeId parent, Name name, int mode, Caller caller) {
    return make(parent, name, FileType.FILE, mode, caller).attributes();
  }

  @Override
  public synchronized Attributes makeDirectory(InodeId parent, Name name, int mode, Caller caller) {
    return make(parent, name, FileType.DIRECTORY, mode, caller).attributes();
  }

  @Override
  public synchronized Attributes makeSymlink(
      InodeId parent, Name name, byte[] target, Caller caller) {
    MemoryInode inode = make(parent, name, FileType.SYMLINK, 0777, caller);
    inode.target = target.clone();
    return inode.attributes();
  }

  @Override
  public synchronized Attributes link(InodeId id, InodeId parentId, Name name) {
    MemoryInode inode = inode(id);
    MemoryInode parent = directory(parentId);
    if (parent.entries.containsKey(name)) {
      throw new FsException(Errno.EEXIST, name.toString());
    }
    parent.add(name, inode);
    inode.links++;
    inode.ctime = Instant.now();
    return inode.attributes();
  }

  @Override
  public synchronized void unlink(InodeId parent, Name name) {
    MemoryInode inode = named(parent, name);
    if (inode.type == FileType.DIRECTORY) {
      throw new FsException(Errno.EISDIR, name.toString());
    }
    directory(parent).remove(name);
    inode.links--;
    inode.ctime = Instant.now();
    dropIfUnused(inode);
  }

  @Override
  public synchronized void rmdir(InodeId parentId, Name name) {
    MemoryInode parent = directory(parentId);
    MemoryInode inode = directory(named(parentId, name).id);
    if (!inode.entries.isEmpty()) {
      throw new FsException(Errno.ENOTEMPTY, name.toString());
    }
    parent.remove(name);
    parent.links--;
    inode.links = 0;
    dropIfUnused(inode);
  }

  private void dropIfUnused(MemoryInode inode) {
    if (inode.links == 0 && inode.opens == 0) {
      inodes.remove(inode.id);
      inode.bytes.free();
    }
  }

  @Override
  public synchronized void rename(
      InodeId oldParentId, Name oldName, InodeId newParentId, Name newName, int flags) {
    if ((flags & ~RENAME_NOREPLACE) != 0) {
      throw new FsException(Errno.EINVAL, "rename flags " + flags);
    }
    MemoryInode inode = named(oldParentId, oldName);
    MemoryInode oldParent = directory(oldParentId);
    MemoryInode newParent = directory(newParentId);
    MemoryInode.Entry existing = newParent.entries.get(newName);
    if (existing != null) {
      if (flags == RENAME_NOREPLACE) {
        throw new FsException(Errno.EEXIST, newName.toString());
      }
      if (existing.inode() == inode) {
        return;
      }
      replace(newParentId, newName, existing.inode(), inode);
    }
    oldParent.remove(oldName);
    newParent.add(newName, inode);
    if (inode.type == FileType.DIRECTORY) {
      oldParent.links--;
      newParent.links++;
      inode.parent = newParent;
    }
    inode.ctime = Instant.now();
  }

  private void replace(InodeId parent, Name name, MemoryInode old, MemoryInode by) {
    if (old.type == FileType.DIRECTORY) {
      if (by.type != FileType.DIRECTORY) {
        throw new FsException(Errno.EISDIR, name.toString());
      }
      rmdir(parent, name);
    } else {
      if (by.type == FileType.DIRECTORY) {
        throw new FsException(Errno.ENOTDIR, name.toString());
      }
      unlink(parent, name);
    }
  }

  @Override
  public synchronized OpenFile open(InodeId id, int flags, Caller caller) {
    MemoryInode inode = inode(id);
    if ((flags & O_TRUNC) != 0) {
      inode.bytes.truncate(0);
    }
    if (inode.opens == 0) {
      inode.passes = passThroughUsable && inode.bytes instanceof BackingFile;
    }
    inode.opens++;
    openFlags = flags;
    opensOut.incrementAndGet();
    return new Opened(inode, flags & O_ACCMODE);
  }

  @Override
  public synchronized Created create(
      InodeId parent, Name name, int mode, int flags, Caller caller) {
    MemoryInode inode = make(parent, name, FileType.FILE, mode, caller);
    return new Created(inode.attributes(), open(inode.id, flags, caller));
  }

  private synchronized void closed(MemoryInode inode) {
    inode.opens--;
    opensOut.decrementAndGet();
    dropIfUnused(inode);
  }

  @Override
  public synchronized OpenDirectory openDirectory(InodeId id) {
    MemoryInode inode = directory(id);
    inode.opens++;
    opensOut.incrementAndGet();
    return new Listing(inode);
  }

  @Override
  public synchronized StatFs statFs() {
    long used = 0;
    for (MemoryInode inode : inodes.values()) {
      used += inode.bytes.allocatedBytes();
    }
    return new StatFs(CAPACITY, Math.max(0, CAPACITY - used), inodes.size());
  }

  @Override
  public synchronized byte[] xattr(InodeId id, byte[] name) {
    byte[] value = inode(id).xattrs.get(text(name));
    if (value == null) {
      throw new FsException(Errno.ENODATA, text(name));
    }
    return value;
  }

  @Override
  public synchronized List<byte[]> xattrNames(InodeId id) {
    List<byte[]> names = new ArrayList<>();
    inode(id).xattrs.keySet().forEach(n -> names.add(n.getBytes(StandardCharsets.ISO_8859_1)));
    return names;
  }

  @Override
  public synchronized void setXattr(
      InodeId id, byte[] name, byte[] value, int flags, Caller caller) {
    if (text(name).startsWith("system.")) {
      throw new FsException(Errno.EOPNOTSUPP, "no ACLs here");
    }
    Map<String, byte[]> xattrs = inode(id).xattrs;
    boolean there = xattrs.containsKey(text(name));
    if (there && (flags & XATTR_CREATE) != 0) {
      throw new FsException(Errno.EEXIST, text(name));
    }
    if (!there && (flags & XATTR_REPLACE) != 0) {
      throw new FsException(Errno.ENODATA, text(name));
    }
    xattrs.put(text(name), value);
  }

  @Override
  public synchronized void removeXattr(InodeId id, byte[] name) {
    if (inode(id).xattrs.remove(text(name)) == null) {
      throw new FsException(Errno.ENODATA, text(name));
    }
  }

  private static String text(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  @Override
  public void passThroughUsable(boolean usable) {
    passThroughUsable = usable;
  }

  @Override
  public boolean hasLocks() {
    return true;
  }

  @Override
  public TransferBuffer newBuffer(int bytes) {
    buffersOut.incrementAndGet();
    return new MappedBuffer(bytes, buffersOut::decrementAndGet);
  }

  private final class Opened implements OpenFile {
    private final MemoryInode inode;
    private final int access;

    /** Who has locked something through it. */
    private final Set<Long> owners = ConcurrentHashMap.newKeySet();

    private boolean closed;

    Opened(MemoryInode inode, int access) {
      this.inode = inode;
      this.access = access;
    }

    @Override
    public void read(long offset, int length, TransferBuffer staging, ReadSink sink) {
      if (access == O_WRONLY) {
        throw new FsException(Errno.EBADF, "not open for reading");
      }
      calls.incrementAndGet();
      inode.bytes.read(offset, length, staging.address(), sink);
    }

    @Override
    public void kill(Kill privileges) {
      kills.add(privileges);
    }

    @Override
    public void write(
        long offset, TransferBuffer source, int position, int length, boolean append) {
      if (access == LibC.O_RDONLY) {
        throw new FsException(Errno.EBADF, "not open for writing");
      }
      calls.incrementAndGet();
      inode.bytes.write(offset, source.address() + position, length, append);
    }

    @Override
    public void readPages(long offset, int length, TransferBuffer staging, ReadSink sink) {
      pageReads.incrementAndGet();
      lastPageRead = length;
      inode.bytes.read(offset, length, staging.address(), sink); // also if open for writing only
    }

    @Override
    public void writePages(long offset, TransferBuffer source, int position, int length) {
      pageWrites.incrementAndGet();
      beforePagesAreSaved.run();
      inode.bytes.write(offset, source.address() + position, length, false);
    }

    @Override
    public @Nullable BackingFile backing() {
      return inode.passes ? (BackingFile) inode.bytes : null;
    }

    @Override
    public void lock(LockRequest request, boolean wait) {
      owners.add(request.owner());
      inode.locks.lock(request, wait);
    }

    @Override
    public @Nullable LockRequest conflicting(LockRequest request) {
      return inode.locks.conflicting(request);
    }

    @Override
    public void flush(long lockOwner) {
      inode.locks.releasePosix(lockOwner);
    }

    @Override
    public void fsync(boolean dataOnly) {}

    @Override
    public void allocate(FallocateMode mode, long offset, long length) {
      inode.bytes.allocate(mode, offset, length);
    }

    @Override
    public long seek(long offset, boolean hole) {
      return inode.bytes.seek(offset, hole);
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        owners.forEach(inode.locks::release);
        closed(inode);
      }
    }
  }

  private final class Listing implements OpenDirectory {
    private final MemoryInode inode;
    private boolean closed;

    Listing(MemoryInode inode) {
      this.inode = inode;
    }

    @Override
    public void list(long afterCookie, Receiver receiver) {
      synchronized (MemoryFileSystem.this) {
        boolean room =
            (afterCookie >= 1 || receiver.entry(new byte[] {'.'}, inode.id, inode.type, 1))
                && (afterCookie >= 2
                    || receiver.entry(new byte[] {'.', '.'}, inode.parent.id, inode.type, 2));
        if (!room) {
          return;
        }
        for (MemoryInode.Entry entry : inode.listing.tailMap(afterCookie, false).values()) {
          MemoryInode child = entry.inode();
          if (!receiver.entry(entry.name().bytes(), child.id, child.type, entry.cookie())) {
            return;
          }
        }
      }
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        closed(inode);
      }
    }
  }

  /** Nobody else changes it, but the kernel keeps what it was given: nothing. */
  @Override
  public long leasedNanos(InodeId inode) {
    return 0;
  }

  @Override
  public void onForget(ForgetListener told) {
    listener = told;
  }

  /** Who keeps what it was told. */
  ForgetListener listener() {
    return Objects.requireNonNull(listener);
  }
}
