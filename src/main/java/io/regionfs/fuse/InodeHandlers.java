package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.fuse.ReplyLayout.StatFs;
import io.regionfs.fuse.RequestLayout.SetAttr;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.AttributeChange.TimeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import java.time.Instant;

/** Requests about one inode, open or not, and about the filesystem as a whole. */
final class InodeHandlers {
  private static final int BLOCK_BYTES = 4096;
  private static final int PERMISSION_BITS = 07777;

  /** Nanoseconds have 30 bits; anything else is not from the kernel. */
  private static final int NANOS_MASK = (1 << 30) - 1;

  private final FileSystem fileSystem;
  private final KernelCaches caches;

  InodeHandlers(FileSystem fileSystem, KernelCaches caches) {
    this.fileSystem = fileSystem;
    this.caches = caches;
  }

  void getattr(Request in, Reply out) {
    attributes(in, out, AttributeWriter::sendAttributes);
  }

  void statx(Request in, Reply out) {
    attributes(in, out, AttributeWriter::sendStatx);
  }

  /** The kernel keeps them, unless they change at the file's home. */
  private void attributes(Request in, Reply out, Sender sender) {
    InodeId inode = in.node();
    long mark = caches.mark(inode);
    Attributes attributes = fileSystem.attributes(inode);
    long now = caches.now();
    long nanos = attributes.atHome() ? 0 : caches.keepAttributes(inode, mark);
    sender.send(out, attributes, nanos);
    caches.sent(inode, now);
  }

  private interface Sender {
    void send(Reply out, Attributes attributes, long validNanos);
  }

  void setattr(Request in, Reply out) {
    Attributes attributes =
        caches.isRefreshing(in.thread())
            ? fileSystem.attributes(in.node())
            : fileSystem.setAttributes(in.node(), change(in));
    AttributeWriter.sendAttributes(out, attributes, 0);
  }

  private static AttributeChange change(Request in) {
    int valid = in.int32(SetAttr.VALID);
    return new AttributeChange(
        has(valid, SetAttr.HAS_MODE) ? in.int32(SetAttr.MODE) & PERMISSION_BITS : null,
        has(valid, SetAttr.HAS_UID) ? (Integer) in.int32(SetAttr.UID) : null,
        has(valid, SetAttr.HAS_GID) ? (Integer) in.int32(SetAttr.GID) : null,
        has(valid, SetAttr.HAS_SIZE) ? (Long) in.offset(SetAttr.SIZE) : null,
        has(valid, SetAttr.HAS_ATIME)
            ? time(in, has(valid, SetAttr.ATIME_NOW), SetAttr.ATIME, SetAttr.ATIME_NANOS)
            : null,
        has(valid, SetAttr.HAS_MTIME)
            ? time(in, has(valid, SetAttr.MTIME_NOW), SetAttr.MTIME, SetAttr.MTIME_NANOS)
            : null,
        kill(valid));
  }

  /**
   * Like Linux for its own filesystems, but that it says nothing of capabilities: they go with any
   * change of owner or size. A request that sets nothing is what is left of one to take privileges
   * from a file, when the kernel writes a file that it was passed through to.
   */
  private static Kill kill(int valid) {
    if (has(valid, SetAttr.KILL_SET_ID) || !has(valid, SetAttr.HAS_ANY)) {
      return Kill.ALL;
    }
    return has(valid, SetAttr.HAS_UID | SetAttr.HAS_GID | SetAttr.HAS_SIZE)
        ? Kill.CAPABILITY
        : Kill.NOTHING;
  }

  private static TimeChange time(Request in, boolean now, int secondsAt, int nanosAt) {
    if (now) {
      return TimeChange.NOW;
    }
    long seconds = in.int64(secondsAt);
    if (seconds < Instant.MIN.getEpochSecond() || seconds >= Instant.MAX.getEpochSecond()) {
      throw new FsException(Errno.EINVAL, "time beyond a billion years: " + seconds);
    }
    return new TimeChange(Instant.ofEpochSecond(seconds, in.int32(nanosAt) & NANOS_MASK));
  }

  private static boolean has(int valid, int bit) {
    return (valid & bit) != 0;
  }

  void readlink(Request in, Reply out) {
    byte[] target = fileSystem.readLink(in.node());
    out.bytes(ReplyLayout.Header.BYTES, target);
    out.send(ReplyLayout.Header.BYTES + target.length);
  }

  /** Inodes have no limit of their own: free are as many as one block each would allow. */
  void statfs(Reply out) {
    FileSystem.StatFs stat = fileSystem.statFs();
    long freeBlocks = stat.freeBytes() / BLOCK_BYTES;
    out.clear(StatFs.END);
    out.int64(StatFs.BLOCKS, stat.capacityBytes() / BLOCK_BYTES);
    out.int64(StatFs.FREE_BLOCKS, freeBlocks);
    out.int64(StatFs.AVAILABLE_BLOCKS, freeBlocks);
    out.int64(StatFs.FILES, stat.inodes() + freeBlocks);
    out.int64(StatFs.FREE_FILES, freeBlocks);
    out.int32(StatFs.BLOCK_SIZE, BLOCK_BYTES);
    out.int32(StatFs.NAME_MAX, Name.MAX_BYTES);
    out.int32(StatFs.FRAGMENT_SIZE, BLOCK_BYTES);
    out.send(StatFs.END);
  }
}
