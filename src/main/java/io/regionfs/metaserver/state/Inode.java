package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Messages;
import io.regionfs.proto.Attributes;
import io.regionfs.proto.Create;
import io.regionfs.proto.FileType;
import io.regionfs.proto.SetAttributes;
import io.regionfs.proto.Settle;
import org.jspecify.annotations.Nullable;

/**
 * One inode as plain data. Times are nanoseconds since 1970. Changed only by commands, under the
 * lock of the {@link Replica}.
 */
class Inode {
  private static final int MODE_BITS = 07777;
  private static final long DAY_NANOS = 86_400_000_000_000L;

  final long id;
  final FileType type;

  /** Of a symlink; empty else. */
  final ByteString target;

  final int home;
  int mode;
  int uid;
  int gid;
  int links;
  long size;
  long allocatedBytes;
  long atime;
  long mtime;
  long ctime;
  long btime;

  /** Size, mtime and memory are known at the home; what stands here was last committed. */
  boolean atHome;

  /** Null while no node has it open. */
  @Nullable Opens opens;

  /** Null while it has none. */
  @Nullable Xattrs xattrs;

  Inode(long id, Create create, int gid, int mode, long now) {
    this.id = id;
    this.type = create.getType();
    this.target = create.getTarget();
    this.size = target.size();
    this.home = type == FileType.FILE_TYPE_FILE ? create.getHome() : 0;
    this.mode = mode & MODE_BITS;
    this.uid = create.getUid();
    this.gid = gid;
    this.links = type == FileType.FILE_TYPE_DIRECTORY ? 2 : 1;
    this.btime = now;
    this.atime = now;
    this.mtime = now;
    this.ctime = now;
  }

  boolean isDirectory() {
    return type == FileType.FILE_TYPE_DIRECTORY;
  }

  /** No name and no open: it goes away. */
  boolean isDead() {
    return links == 0 && opens == null;
  }

  /** What st_size shows. */
  long shownSize() {
    return size;
  }

  Attributes attributes() {
    return Attributes.newBuilder()
        .setInode(id)
        .setType(type)
        .setMode(mode)
        .setUid(uid)
        .setGid(gid)
        .setLinks(links)
        .setSize(shownSize())
        .setAllocatedBytes(allocatedBytes)
        .setAtime(Messages.time(atime))
        .setMtime(Messages.time(mtime))
        .setCtime(Messages.time(ctime))
        .setBtime(Messages.time(btime))
        .setHome(home)
        .setAtHome(atHome)
        .build();
  }

  /** The root of a new cluster gets its owner and its first times. */
  void found(int owner, int group, long now) {
    uid = owner;
    gid = group;
    btime = now;
    atime = now;
    mtime = now;
    ctime = now;
  }

  /** chmod, chown and utimens in one. */
  void change(SetAttributes change, long now) {
    if (change.hasMode()) {
      mode = change.getMode() & MODE_BITS;
    }
    if (change.hasUid()) {
      uid = change.getUid();
    }
    if (change.hasGid()) {
      gid = change.getGid();
    }
    if (change.getAtimeNow()) {
      atime = now;
    } else if (change.hasAtime()) {
      atime = Messages.nanos(change.getAtime());
    }
    if (change.getMtimeNow()) {
      mtime = now;
    } else if (change.hasMtime()) {
      mtime = Messages.nanos(change.getMtime());
    }
    changed(now);
  }

  /** Names were added to or taken from this directory, or its bytes changed. */
  void modified(long now) {
    mtime = now;
    changed(now);
  }

  /** The change time never runs backwards, though a home whose clock is ahead may have set it. */
  void changed(long now) {
    ctime = Math.max(now, ctime + 1);
  }

  /** Takes the home's values; a change time set here meanwhile stays if it is later. */
  void settle(Settle values) {
    size = values.getSize();
    allocatedBytes = values.getAllocatedBytes();
    mtime = Messages.nanos(values.getMtime());
    ctime = Math.max(ctime, Messages.nanos(values.getCtime()));
  }

  /** Notes a read as mount(8)'s relatime does: once per change and once a day. */
  void readAt(long time) {
    if (time > atime && (atime <= mtime || atime <= ctime || time - atime >= DAY_NANOS)) {
      atime = time;
    }
  }

  /** A checksum of all that clients can see of this inode but for names in it. */
  final long visible() {
    Fingerprint print = new Fingerprint();
    addVisibleTo(print);
    return print.value();
  }

  void addVisibleTo(Fingerprint print) {
    print.add(id).add(type.getNumber()).add(target).add(home);
    print.add(mode).add(uid).add(gid).add(links).add(size).add(allocatedBytes);
    print.add(atime).add(mtime).add(ctime).add(btime).add(atHome);
    if (xattrs != null) {
      xattrs.addTo(print);
    }
  }

  void addTo(Fingerprint print) {
    addVisibleTo(print);
    if (opens != null) {
      opens.addTo(print);
    }
  }
}
