package io.regionfs.fs;

import io.regionfs.data.TransferBuffer;
import io.regionfs.meta.Metadata;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.Attributes;
import io.regionfs.model.Caller;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import java.util.List;

/**
 * A filesystem by inode number, as the kernel asks for it. Permissions are the kernel's to check.
 * Every refusal is an {@link io.regionfs.model.FsException}. Safe for use by many threads.
 */
public interface FileSystem {
  /** The set-group-id bit goes with the access ACL that is set. */
  int ACL_KILL_SETGID = Metadata.ACL_KILL_SETGID;

  /** A flag of {@link #open} besides those of open(2): O_TRUNC takes {@link Kill#ALL}. */
  int OPEN_KILLS = 1 << 30;

  /** The attributes of a name; {@code "."} and {@code ".."} are the caller's business. */
  Attributes lookup(InodeId parent, Name name);

  Attributes attributes(InodeId inode);

  /** chmod, chown, utimens and truncate in one step, as FUSE_SETATTR brings them. */
  Attributes setAttributes(InodeId inode, AttributeChange change);

  byte[] readLink(InodeId symlink);

  /** An empty file that is not opened (mknod). */
  Attributes makeFile(InodeId parent, Name name, int mode, Caller caller);

  Attributes makeDirectory(InodeId parent, Name name, int mode, Caller caller);

  Attributes makeSymlink(InodeId parent, Name name, byte[] target, Caller caller);

  Attributes link(InodeId inode, InodeId parent, Name name);

  void unlink(InodeId parent, Name name);

  void rmdir(InodeId parent, Name name);

  void rename(InodeId oldParent, Name oldName, InodeId newParent, Name newName, int flags);

  /**
   * open(2) with its flags (O_TRUNC and O_APPEND count; O_CREAT and O_EXCL are the kernel's part).
   * The caller closes it.
   */
  OpenFile open(InodeId inode, int flags, Caller caller);

  /** Makes and opens a file. EEXIST if the name exists. */
  Created create(InodeId parent, Name name, int mode, int flags, Caller caller);

  /** The caller closes it. */
  OpenDirectory openDirectory(InodeId directory);

  StatFs statFs();

  /** ENODATA if there is none. */
  byte[] xattr(InodeId inode, byte[] name);

  List<byte[]> xattrNames(InodeId inode);

  /** Flags: XATTR_CREATE 1, XATTR_REPLACE 2, {@link #ACL_KILL_SETGID}. Errors as in setxattr(2). */
  void setXattr(InodeId inode, byte[] name, byte[] value, int flags, Caller caller);

  void removeXattr(InodeId inode, byte[] name);

  /**
   * Whether {@link OpenFile#lock} works. Else the kernel keeps the locks, for this host alone.
   * Asked before the first request.
   */
  default boolean hasLocks() {
    return false;
  }

  /**
   * Whether writes and other changes of a file take what privileges programs get from it, as they
   * are told to. Else the kernel does that, and asks for attributes before each write of a file
   * that it has passed through. Asked before the first request.
   */
  default boolean killsPrivileges() {
    return false;
  }

  /**
   * Whether the kernel takes what {@link OpenFile#backing} gives. Called before the first request,
   * and again with false, while a file is being opened, should the kernel refuse one: files that
   * are open stay as they are, and are served by their {@link OpenFile}, but no more are to be
   * given.
   */
  default void passThroughUsable(boolean usable) {}

  /** A buffer for reads and writes; the caller closes it. */
  TransferBuffer newBuffer(int bytes);

  /**
   * For how long from now the kernel may keep the attributes of an inode, and of a directory the
   * names too, present and absent, without asking: nanoseconds, 0 if not at all. A file that is
   * being written has 0: its size and times change at its home.
   */
  long leasedNanos(InodeId inode);

  /**
   * The listener is told of whatever the kernel may no longer keep. Others may see the new state
   * once it returns. It may not call this object and is called by any thread.
   */
  void onForget(ForgetListener listener);

  /** Keeps what it was told for as long as {@link #leasedNanos} says. */
  interface ForgetListener {
    void forget(InodeId inode);

    void forgetAll();

    /**
     * The kernel is to look soon at the attributes of a file that it has passed through; does not
     * wait.
     */
    default void refresh(InodeId inode) {}

    /**
     * Pages of a file that the kernel keeps for mappings: those that were changed come back by
     * {@link OpenFile#writePages} before this returns, and none is kept. Unlike the others this
     * waits for reads and writes of the file that are in progress; so it may not be called by one.
     *
     * @param offset in bytes
     * @param length in bytes; Long.MAX_VALUE: to the end
     */
    default void dropPages(InodeId inode, long offset, long length) {}
  }

  /** What {@link #create} made. */
  record Created(Attributes attributes, OpenFile file) {}

  /** statfs(2), in bytes and inodes. */
  record StatFs(long capacityBytes, long freeBytes, long inodes) {}
}
