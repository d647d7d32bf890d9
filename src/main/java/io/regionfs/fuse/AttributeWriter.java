package io.regionfs.fuse;

import io.regionfs.fuse.ReplyLayout.Attr;
import io.regionfs.fuse.ReplyLayout.AttrOut;
import io.regionfs.fuse.ReplyLayout.Entry;
import io.regionfs.fuse.ReplyLayout.Statx;
import io.regionfs.model.Attributes;
import java.time.Instant;

/**
 * Puts attributes into replies, and for how long the kernel may keep them: what {@link
 * KernelCaches} says, for other hosts change them.
 */
final class AttributeWriter {
  private static final int STAT_BLOCK_BYTES = 512;
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private AttributeWriter() {}

  /** Fills struct fuse_entry_out; the kernel may keep neither name nor attributes. */
  static void entry(Reply out, Attributes attributes) {
    out.clear(Entry.END);
    out.int64(Entry.NODE, attributes.inode().value());
    put(out, Entry.ATTR, attributes);
  }

  /** Sends struct fuse_entry_out; the kernel may keep neither name nor attributes. */
  static void sendEntry(Reply out, Attributes attributes) {
    sendEntry(out, attributes, 0);
  }

  /** Sends struct fuse_entry_out; the kernel may keep the name for so many nanoseconds. */
  static void sendEntry(Reply out, Attributes attributes, long nanos) {
    entry(out, attributes);
    valid(out, Entry.ENTRY_VALID, Entry.ENTRY_VALID_NANOS, nanos);
    boolean unused = out.send(Entry.END); // no matter what the kernel knows now
  }

  /** Sends the answer that there is no such name, which the kernel may keep. */
  static void sendAbsent(Reply out, long nanos) {
    out.clear(Entry.END);
    valid(out, Entry.ENTRY_VALID, Entry.ENTRY_VALID_NANOS, nanos);
    boolean unused = out.send(Entry.END);
  }

  /** Sends struct fuse_attr_out; the kernel may keep the attributes for so many nanoseconds. */
  static void sendAttributes(Reply out, Attributes attributes, long nanos) {
    out.clear(AttrOut.END);
    valid(out, AttrOut.ATTR_VALID, AttrOut.ATTR_VALID_NANOS, nanos);
    put(out, AttrOut.ATTR, attributes);
    boolean unused = out.send(AttrOut.END);
  }

  private static void put(Reply out, int at, Attributes attributes) {
    out.int64(at + Attr.INODE, attributes.inode().value());
    out.int64(at + Attr.SIZE, attributes.size());
    out.int64(at + Attr.BLOCKS, blocks(attributes));
    time(out, at + Attr.ATIME, at + Attr.ATIME_NANOS, attributes.atime());
    time(out, at + Attr.MTIME, at + Attr.MTIME_NANOS, attributes.mtime());
    time(out, at + Attr.CTIME, at + Attr.CTIME_NANOS, attributes.ctime());
    out.int32(at + Attr.MODE, mode(attributes));
    out.int32(at + Attr.LINKS, attributes.links());
    out.int32(at + Attr.UID, attributes.uid());
    out.int32(at + Attr.GID, attributes.gid());
    out.int32(at + Attr.BLOCK_SIZE, FuseLimits.PREFERRED_IO_BYTES);
  }

  /**
   * Sends struct fuse_statx_out: the only way to tell the birth time. The kernel may keep all of it
   * for so many nanoseconds.
   */
  static void sendStatx(Reply out, Attributes attributes, long nanos) {
    out.clear(Statx.END);
    valid(out, Statx.ATTR_VALID, Statx.ATTR_VALID_NANOS, nanos);
    out.int32(Statx.MASK, Statx.BASIC_AND_BTIME);
    out.int32(Statx.BLOCK_SIZE, FuseLimits.PREFERRED_IO_BYTES);
    out.int32(Statx.LINKS, attributes.links());
    out.int32(Statx.UID, attributes.uid());
    out.int32(Statx.GID, attributes.gid());
    out.int16(Statx.MODE, mode(attributes));
    out.int64(Statx.INODE, attributes.inode().value());
    out.int64(Statx.SIZE, attributes.size());
    out.int64(Statx.BLOCKS, blocks(attributes));
    time(out, Statx.ATIME, Statx.ATIME + 8, attributes.atime());
    time(out, Statx.BTIME, Statx.BTIME + 8, attributes.btime());
    time(out, Statx.CTIME, Statx.CTIME + 8, attributes.ctime());
    time(out, Statx.MTIME, Statx.MTIME + 8, attributes.mtime());
    boolean unused = out.send(Statx.END);
  }

  private static void valid(Reply out, int seconds, int rest, long nanos) {
    out.int64(seconds, nanos / NANOS_PER_SECOND);
    out.int32(rest, (int) (nanos % NANOS_PER_SECOND));
  }

  private static void time(Reply out, int seconds, int nanos, Instant time) {
    out.int64(seconds, time.getEpochSecond());
    out.int32(nanos, time.getNano());
  }

  private static long blocks(Attributes attributes) {
    return (attributes.allocatedBytes() + STAT_BLOCK_BYTES - 1) / STAT_BLOCK_BYTES;
  }

  private static int mode(Attributes attributes) {
    return attributes.type().modeBits() | attributes.mode();
  }
}
