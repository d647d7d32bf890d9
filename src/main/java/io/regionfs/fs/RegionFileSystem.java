package io.regionfs.fs;

import com.google.errorprone.annotations.MustBeClosed;
import com.google.protobuf.ByteString;
import io.regionfs.data.Regions;
import io.regionfs.data.TransferBuffer;
import io.regionfs.meta.Metadata;
import io.regionfs.meta.NewInode;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Caller;
import io.regionfs.model.Errno;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The file system of one node: names from the metadata service, bytes from the homes of regions.
 * New files have their home here.
 */
public final class RegionFileSystem implements FileSystem, AutoCloseable {
  private static final int MODE_BITS = 07777;
  private static final int SYMLINK_MODE = 0777;
  private static final byte[] CAPABILITY = "security.capability".getBytes(StandardCharsets.UTF_8);

  private final Metadata metadata;
  private final Regions regions;
  private final NodeId self;
  private final PassPolicy policy;
  private final OpenInodes inodes;
  private final FileAttributes attributes;
  private final ExtendedAttributes xattrs;
  private final PageKeeper keeper;
  private final Coherence coherence;
  private final Exporters exporters;
  private final @Nullable PageWatch watch;
  private final Lifetime lifetime;
  private final HeldLocks locks = new HeldLocks();
  private volatile @Nullable ForgetListener forgetListener;

  /**
   * @param metadata borrowed: must outlive this
   * @param regions borrowed: must outlive this
   */
  public RegionFileSystem(Metadata metadata, Regions regions, NodeId self, FsOptions options) {
    this.metadata = metadata;
    this.regions = regions;
    this.self = self;
    this.policy = new PassPolicy(self, options.passThrough());
    this.coherence = options.coherence();
    this.keeper = new PageKeeper(options.twinBytes());
    this.inodes = new OpenInodes(metadata, regions, policy, keeper);
    this.watch = coherence == Coherence.NOTIFY ? new PageWatch(inodes, keeper) : null;
    if (watch != null) {
      keeper.tell(watch);
    }
    this.exporters = new Exporters(metadata, regions, inodes);
    this.lifetime = options.lifetime();
    this.attributes = new FileAttributes(metadata, regions, inodes);
    this.xattrs =
        new ExtendedAttributes(
            metadata,
            self,
            options,
            new ExportAttributes(metadata, self, exporters),
            this::refresh);
    metadata.onForget(new Forgetting());
  }

  @Override
  public Attributes lookup(InodeId parent, Name name) {
    return attributes.merged(metadata.lookup(parent, name));
  }

  @Override
  public Attributes attributes(InodeId inode) {
    return attributes.merged(metadata.attributes(inode));
  }

  @Override
  public Attributes setAttributes(InodeId inode, AttributeChange change) {
    try {
      return attributes.change(inode, change);
    } finally {
      if (change.mode() != null) {
        inodes.recalled(inode); // may have given privileges
      }
    }
  }

  @Override
  public byte[] readLink(InodeId symlink) {
    return metadata.readLink(symlink);
  }

  @Override
  public Attributes makeFile(InodeId parent, Name name, int mode, Caller caller) {
    NewInode inode =
        newInode(parent, name, FileType.FILE, mode, ByteString.EMPTY, caller, false, false);
    Attributes made = metadata.create(inode);
    watch(inode, made);
    return made;
  }

  @Override
  public Attributes makeDirectory(InodeId parent, Name name, int mode, Caller caller) {
    return metadata.create(
        newInode(parent, name, FileType.DIRECTORY, mode, ByteString.EMPTY, caller, false, false));
  }

  @Override
  public Attributes makeSymlink(InodeId parent, Name name, byte[] target, Caller caller) {
    return metadata.create(
        newInode(
            parent,
            name,
            FileType.SYMLINK,
            SYMLINK_MODE,
            ByteString.copyFrom(target),
            caller,
            false,
            false));
  }

  @Override
  public Attributes link(InodeId inode, InodeId parent, Name name) {
    return attributes.merged(metadata.link(inode, parent, name));
  }

  @Override
  public void unlink(InodeId parent, Name name) {
    inodes.drop(metadata.unlink(parent, name));
  }

  @Override
  public void rmdir(InodeId parent, Name name) {
    metadata.rmdir(parent, name);
  }

  @Override
  public void rename(InodeId oldParent, Name oldName, InodeId newParent, Name newName, int flags) {
    inodes.drop(metadata.rename(oldParent, oldName, newParent, newName, flags));
  }

  /** EISDIR, ELOOP if it is no file; with O_TRUNC the file is empty when this returns. */
  @Override
  public OpenFile open(InodeId inode, int flags, Caller caller) {
    OpenFlags wanted = OpenFlags.of(flags);
    OpenFile file = open(inode, wanted, caller);
    if (wanted.truncate()) {
      try {
        truncate(inode, wanted);
      } catch (RuntimeException e) {
        file.close();
        throw e;
      }
    }
    return file;
  }

  @SuppressWarnings("MustBeClosed") // closed by the file
  private OpenFile open(InodeId inode, OpenFlags flags, Caller caller) {
    boolean keepsPages = keepsPages(inode, flags);
    return file(inodes.open(inode, flags.write()), flags, keepsPages, caller);
  }

  /**
   * Pages that were given while nobody could change them have no twins: a first writer drops them.
   */
  private boolean keepsPages(InodeId inode, OpenFlags flags) {
    InodePages pages = coherence == Coherence.NONE ? inodes.pages(inode) : null;
    return pages != null && (pages.isWritable() || !flags.write());
  }

  private RegionFile file(
      OpenInodes.Hold hold, OpenFlags flags, boolean keepsPages, Caller caller) {
    FileLocks fileLocks = new FileLocks(hold.inode().id(), metadata, locks, this::refreshAtLock);
    return new RegionFile(hold, flags, fileLocks, keepsPages, exporters, caller.pid());
  }

  /**
   * Where a lock begins and ends, so that mappings show what others wrote under it before, and
   * others see what was stored: all of the file, as a lock may guard what lies anywhere in it.
   */
  private void refreshAtLock(InodeId inode) {
    if (coherence != Coherence.NONE) {
      refresh(inode);
    }
  }

  /**
   * Has the kernel write back and drop the pages that it keeps of a file for mappings. Not to be
   * called by who serves its reads and writes: see {@link ForgetListener#dropPages}.
   */
  public void refresh(InodeId inode) {
    InodePages pages = inodes.pages(inode);
    ForgetListener listener = forgetListener;
    if (pages != null && listener != null) {
      pages.drop(listener);
    }
  }

  /** In a write session of its own: O_TRUNC counts in a read-only open too. */
  private void truncate(InodeId inode, OpenFlags flags) {
    try (var hold = inodes.open(inode, true)) {
      hold.inode().kill(flags.kill());
      hold.inode().region().truncate(0);
    }
  }

  @Override
  @SuppressWarnings("MustBeClosed") // closed by the file
  public Created create(InodeId parent, Name name, int mode, int flags, Caller caller) {
    OpenFlags wanted = OpenFlags.of(flags);
    NewInode inode =
        newInode(parent, name, FileType.FILE, mode, ByteString.EMPTY, caller, true, wanted.write());
    var made = inodes.create(inode);
    watch(inode, made.attributes());
    return new Created(made.attributes(), file(made.hold(), wanted, false, caller));
  }

  private NewInode newInode(
      InodeId parent,
      Name name,
      FileType type,
      int mode,
      ByteString target,
      Caller caller,
      boolean open,
      boolean openForWrite) {
    boolean isFile = type == FileType.FILE;
    return new NewInode(
        parent,
        name,
        type,
        mode & MODE_BITS,
        caller.umask(),
        caller.uid(),
        caller.gid(),
        target,
        isFile ? self : NodeId.NONE,
        open,
        openForWrite,
        isFile && lifetime == Lifetime.OWNER ? Exporters.of(caller.pid()) : null);
  }

  private void watch(NewInode inode, Attributes made) {
    if (inode.exporter() != null) {
      exporters.watch(made.inode(), inode.exporter());
    }
  }

  /** At the start: watches the processes for which files live that an earlier node made. */
  public void resumeExports() {
    exporters.resume();
  }

  @Override
  public OpenDirectory openDirectory(InodeId directory) {
    return PagedDirectory.open(metadata, directory);
  }

  @Override
  public StatFs statFs() {
    Metadata.Space space = metadata.space();
    long free = Math.max(0, space.capacityBytes() - space.usedBytes());
    return new StatFs(space.capacityBytes(), free, space.inodes());
  }

  @Override
  public byte[] xattr(InodeId inode, byte[] name) {
    if (Arrays.equals(name, CAPABILITY) && inodes.hasNoCapability(inode)) {
      // What the kernel asks before the first write of a file that it has passed through.
      throw new FsException(Errno.ENODATA, "no capability");
    }
    return xattrs.get(inode, name);
  }

  @Override
  public List<byte[]> xattrNames(InodeId inode) {
    return xattrs.names(inode);
  }

  @Override
  public void setXattr(InodeId inode, byte[] name, byte[] value, int flags, Caller caller) {
    try {
      xattrs.set(inode, name, value, flags, caller);
    } finally {
      inodes.recalled(inode); // may have given privileges
    }
  }

  @Override
  public void removeXattr(InodeId inode, byte[] name) {
    xattrs.remove(inode, name);
  }

  /** Whether files at home here that are opened now are passed through to the kernel. */
  public boolean passesThrough() {
    return policy.allows(self);
  }

  @Override
  public boolean hasLocks() {
    return true;
  }

  @Override
  public boolean killsPrivileges() {
    return true;
  }

  @Override
  public void passThroughUsable(boolean usable) {
    policy.usable(usable);
  }

  @Override
  @MustBeClosed
  public TransferBuffer newBuffer(int bytes) {
    return regions.newBuffer(bytes);
  }

  /** The service leases no file with a write session, here or elsewhere. */
  @Override
  public long leasedNanos(InodeId inode) {
    return metadata.leasedNanos(inode);
  }

  @Override
  public void onForget(ForgetListener listener) {
    forgetListener = listener;
    keeper.kernel(listener);
  }

  /** Open files that linger are let go of, then the listener is told. */
  private final class Forgetting implements Metadata.ForgetListener {
    @Override
    public void forget(InodeId inode) {
      inodes.forget(inode);
      ForgetListener listener = forgetListener;
      if (listener != null) {
        listener.forget(inode);
      }
    }

    @Override
    public void recalled(InodeId inode) {
      boolean passed = inodes.recalled(inode);
      forget(inode);
      ForgetListener listener = forgetListener;
      if (passed && listener != null) {
        listener.refresh(inode);
      }
      exporters.recalled(inode);
    }

    @Override
    public void forgetAll() {
      inodes.forgetAll();
      ForgetListener listener = forgetListener;
      if (listener != null) {
        listener.forgetAll();
        inodes.passed().forEach(listener::refresh);
      }
    }
  }

  /**
   * After this node's lease ran out and it joined again: opens again at the metadata service what
   * is open here. What cannot be opened now is tried again; a file that is gone answers ESTALE. The
   * locks are lost, and the files through which they were taken say so.
   */
  public void reopenAll() {
    locks.lost();
    inodes.reopenAll();
    ForgetListener listener = forgetListener;
    if (listener != null) {
      inodes.passed().forEach(listener::refresh); // of what was not recalled meanwhile
    }
    exporters.resume();
  }

  /** Number of inodes that this node has open. */
  public int openInodes() {
    return inodes.size();
  }

  /**
   * Closes what is still open, so that sizes and times are committed; for when nobody uses it any
   * more. Waits for the metadata service and the homes; an interrupt ends that.
   */
  @Override
  public void close() {
    exporters.close();
    if (watch != null) {
      watch.close();
    }
    keeper.close();
    inodes.close();
  }
}
