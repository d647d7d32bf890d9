package io.regionfs.meta;

import io.regionfs.model.AttributeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Exporter;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The metadata service as a node sees it. Every method may throw {@link
 * io.regionfs.model.FsException}: the service's refusal, EINTR when the calling thread was
 * interrupted while the service was away, or ETIMEDOUT when the mount was told not to wait longer.
 * Without such a limit calls wait for the service to come back. Safe for use by many threads.
 */
public interface Metadata extends AutoCloseable {
  /**
   * A flag for {@link #setXattr} of an access ACL: the set-group-id bit goes, as the caller is not
   * in the group.
   */
  int ACL_KILL_SETGID = 0x100;

  /** ENOENT, ENOTDIR. */
  Attributes lookup(InodeId parent, Name name);

  /** ENOENT if the inode is gone: no name and no open. */
  Attributes attributes(InodeId inode);

  /**
   * Entries after a cookie (0: from the start), as many as fit one message, in cookie order.
   * ENOENT, ENOTDIR.
   */
  DirectoryPage list(InodeId directory, long afterCookie);

  /** EINVAL if it is not a symlink. */
  byte[] readLink(InodeId symlink);

  /**
   * Makes an inode with a name. In a set-group-id directory it inherits the directory's group (and,
   * as a directory, the bit); of a directory with a default ACL it inherits that. EEXIST, ENOENT,
   * ENOTDIR.
   */
  Attributes create(NewInode inode);

  /** Another name for a file or symlink. EEXIST, EPERM for a directory, EMLINK. */
  Attributes link(InodeId inode, InodeId parent, Name name);

  /** EISDIR, ENOENT. The result is what may be dropped now at its home. */
  Removal unlink(InodeId parent, Name name);

  /** ENOTDIR, ENOTEMPTY, ENOENT. */
  void rmdir(InodeId parent, Name name);

  /**
   * rename(2). Flags: RENAME_NOREPLACE 1, RENAME_EXCHANGE 2; others EINVAL. ENOENT, EEXIST,
   * ENOTEMPTY, EISDIR, ENOTDIR; EINVAL if a directory would move below itself.
   */
  Removal rename(InodeId oldParent, Name oldName, InodeId newParent, Name newName, int flags);

  /**
   * Changes mode, owner and times; the size is not its business and must be null. A node that
   * writes a file is told ({@link ForgetListener#recalled}) when another one gives it a set-user-id
   * bit, set-group-id bit or capability, whatever it has kept.
   */
  Attributes setAttributes(InodeId inode, AttributeChange change);

  /**
   * This node opens the inode: it stays alive, with a name or not, until the node closes it. With
   * {@code write} it also starts a write session: the home is now the authority on size and mtime.
   * Once per node and kind, however many processes open it. The attributes are those from before:
   * {@code !atHome && size == 0} means that its region may not exist yet.
   */
  Attributes open(InodeId inode, boolean write);

  /**
   * Ends this node's write session and commits {@code stat}, the home's values, if nobody else can
   * have changed them since they were asked for.
   *
   * @return false if the home stays the authority: no values were given, or other nodes write, or
   *     wrote at the same time. A session that one node has alone ends that.
   */
  boolean closeWrite(InodeId inode, @Nullable RegionStat stat);

  /**
   * Ends this node's open, and what is left of its write session as {@link #closeWrite} does, both
   * in one step.
   *
   * @param stat the home's values, if a write session ends
   * @param readAt if it was read, for relatime
   */
  Closed close(InodeId inode, @Nullable RegionStat stat, @Nullable Instant readAt);

  /**
   * Ends several opens without write sessions in one step; as many as fit a message, a few hundred.
   *
   * @return what may be dropped now at its home
   */
  List<Removal> closeAll(List<Closing> closings);

  /**
   * Commits the home's values of a region that nobody writes any more, after its last writer's node
   * died.
   */
  void settle(InodeId inode, RegionStat stat);

  /** ENODATA if it has none of this name. */
  byte[] xattr(InodeId inode, byte[] name);

  List<byte[]> xattrNames(InodeId inode);

  /**
   * Flags: XATTR_CREATE 1 (EEXIST), XATTR_REPLACE 2 (ENODATA), {@link #ACL_KILL_SETGID}. ENOSPC
   * beyond 16 KiB of names and values in one inode. {@code system.posix_acl_access} changes the
   * mode too; {@code system.posix_acl_default} is EACCES but for a directory. An ACL is EINVAL if
   * it is not a valid one, E2BIG beyond 4 KiB, EOPNOTSUPP for a symlink.
   */
  void setXattr(InodeId inode, byte[] name, byte[] value, int flags);

  /** ENODATA if it has none of this name, except for an ACL. */
  void removeXattr(InodeId inode, byte[] name);

  /**
   * Takes a lock for an owner of this node, which has opened the inode; what the owner had of these
   * bytes before is replaced. EAGAIN if another's lock, or request that came before, stands against
   * it and it may not wait; EDEADLK if waiting would never end; ENOLCK if the inode has too many.
   * An interrupt or a timeout leaves it untaken.
   *
   * @param wait for its turn
   * @param held the owner has a lock on some of these bytes already
   */
  void lock(InodeId inode, Lock lock, boolean wait, boolean held);

  /** Whatever the owner has locked of these bytes. What cannot be told now is told later. */
  void unlock(InodeId inode, Lock lock);

  /** All locks of this owner in the inode end. What cannot be told now is told later. */
  void endLocks(InodeId inode, long owner, boolean flock);

  /** A lock that is held and stands against this one; null: there is none. */
  @Nullable Lock conflicting(InodeId inode, Lock lock);

  /** Whom a file lives as long as; null: until it is unlinked. ENOENT. */
  @Nullable Export export(InodeId inode);

  /** The files at home here that live as long as a process, and have not ended. */
  List<Export> exports();

  /**
   * The file lives as long as this process of its home, or again until it is unlinked. ESTALE if it
   * has ended already, EINVAL if it is no file.
   *
   * @param exporter null: until it is unlinked
   */
  void setExporter(InodeId inode, @Nullable Exporter exporter);

  /**
   * The process is gone, and the file with it: all names go, and nodes that have it open are told
   * ({@link ForgetListener#recalled}) before this returns. Nothing if it has ended already.
   */
  Removal endExport(InodeId inode);

  /** What the living nodes lend together. */
  Space space();

  /** Every node that ever joined, living or not. */
  List<Node> nodes();

  /** A node by its id; cached, asked again when the list changed. EIO if unknown. */
  Node node(NodeId id);

  /** Which service answers, for status. */
  ServiceReport service();

  /**
   * How long from now, in nanoseconds, whoever asked this for the attributes of the inode may keep
   * them without asking again, and what it knows of the names in it, if it is a directory; 0: not
   * at all. It ends early when a {@link ForgetListener} is told of the inode.
   */
  long leasedNanos(InodeId inode);

  /**
   * For the one listener, before anything is asked. It keeps what {@link #leasedNanos} allows, and
   * must let go of it when told.
   */
  void onForget(ForgetListener listener);

  @Override
  void close();

  /**
   * Told of what must not be kept any more, when the node has forgotten it itself. Others do not
   * see the change before the method has returned: it must be quick, and must not call the
   * metadata. What it throws is logged.
   */
  interface ForgetListener {
    /** Attributes and xattrs of this inode changed, or names in it. */
    void forget(InodeId inode);

    /** As {@link #forget}, after a change that was not this node's. */
    default void recalled(InodeId inode) {
      forget(inode);
    }

    /** Everything may have changed. */
    void forgetAll();
  }

  /**
   * @param last there is nothing after these entries
   */
  record DirectoryPage(List<Entry> entries, boolean last, InodeId parent) {}

  /**
   * @param cookie grows; stays the entry's own as long as its name exists
   */
  record Entry(Name name, InodeId inode, io.regionfs.model.FileType type, long cookie) {}

  /**
   * An inode whose last name and last open are gone, so that its home may drop the bytes; null:
   * none.
   */
  record Removal(@Nullable InodeId dead, NodeId home) {
    public static final Removal NOTHING = new Removal(null, NodeId.NONE);
  }

  /**
   * @param readAt if it was read, for relatime
   */
  record Closing(InodeId inode, @Nullable Instant readAt) {}

  /**
   * An open has ended.
   *
   * @param removal what may be dropped now at its home
   * @param atHome the inode lives on and its home is still the authority
   */
  record Closed(Removal removal, boolean atHome) {
    public static final Closed DONE = new Closed(Removal.NOTHING, false);
  }

  /** Lent memory in bytes. */
  record Space(long capacityBytes, long usedBytes, long inodes) {}

  record ServiceReport(
      String clusterId,
      String leader,
      long inodes,
      long commands,
      long queries,
      long uptimeSeconds,
      long locks) {}
}
