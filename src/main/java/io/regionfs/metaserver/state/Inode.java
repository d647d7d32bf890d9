package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Messages;
import io.regionfs.meta.Relatime;
import io.regionfs.model.AttributeChange;
import io.regionfs.proto.Attributes;
import io.regionfs.proto.Create;
import io.regionfs.proto.FileType;
import io.regionfs.proto.SetAttributes;
import io.regionfs.proto.Settle;
import io.regionfs.proto.SnapshotInode;
import org.jspecify.annotations.Nullable;

/**
 * One inode as plain data; there are millions, so that every field counts. Times are nanoseconds
 * since 1970. Changed only by commands, under the lock of the {@link Replica}, and only after
 * {@link Mutations#before}.
 */
class Inode {
  /** The extended attribute of files that give programs capabilities(7). */
  static final ByteString CAPABILITY = ByteString.copyFromUtf8("security.capability");

  private static final int MODE_BITS = 07777;
  private static final int TYPE_SHIFT = 12;
  private static final int TYPE_BITS = 3;
  private static final int AT_HOME = 1 << 14;
  private static final int TOUCHED = 1 << 15;
  private static final int GONE = 1 << 16;

  final long id;
  final int home;
  int uid;
  int gid;
  int links;
  private int bits;
  private long size;
  private long allocatedBytes;
  private long atime;
  private long mtime;
  private long ctime;
  private long btime;

  /** Null while no node has it open. */
  @Nullable Opens opens;

  /** Null while it has none. */
  @Nullable Xattrs xattrs;

  Inode(long id, Create create, int gid, int mode, long now) {
    this.id = id;
    this.home = create.getType() == FileType.FILE_TYPE_FILE ? create.getHome() : 0;
    this.bits = (mode & MODE_BITS) | (create.getType().getNumber() << TYPE_SHIFT);
    this.uid = create.getUid();
    this.gid = gid;
    this.links = isDirectory() ? 2 : 1;
    this.btime = now;
    this.atime = now;
    this.mtime = now;
    this.ctime = now;
  }

  Inode(SnapshotInode record) {
    id = record.getId();
    home = record.getHome();
    bits = (record.getMode() & MODE_BITS) | (record.getTypeValue() << TYPE_SHIFT);
    setAtHome(record.getAtHome());
    uid = record.getUid();
    gid = record.getGid();
    links = record.getLinks();
    size = record.getSize();
    allocatedBytes = record.getAllocatedBytes();
    atime = record.getAtime();
    mtime = record.getMtime();
    ctime = record.getCtime();
    btime = record.getBtime();
    if (record.getOpensCount() > 0) {
      opens = new Opens(record.getOpensList(), record.getShared());
      if (record.hasLocks()) {
        opens.setLocks(new InodeLocks(record.getLocks()));
      }
    }
  }

  final FileType type() {
    return FileType.forNumber((bits >> TYPE_SHIFT) & TYPE_BITS);
  }

  final int mode() {
    return bits & MODE_BITS;
  }

  final void setMode(int mode) {
    bits = (bits & ~MODE_BITS) | (mode & MODE_BITS);
  }

  final boolean isDirectory() {
    return type() == FileType.FILE_TYPE_DIRECTORY;
  }

  /** Size, mtime and memory are known at the home; what stands here was last committed. */
  final boolean isAtHome() {
    return (bits & AT_HOME) != 0;
  }

  final void setAtHome(boolean atHome) {
    set(AT_HOME, atHome);
  }

  private void set(int bit, boolean on) {
    bits = on ? bits | bit : bits & ~bit;
  }

  /** Whether the command at hand may have changed it; kept here to be found at once. */
  final boolean isTouched() {
    return (bits & TOUCHED) != 0;
  }

  final void setTouched(boolean touched) {
    set(TOUCHED, touched);
  }

  /** It was removed from the table. */
  final boolean isGone() {
    return (bits & GONE) != 0;
  }

  final void setGone() {
    set(GONE, true);
  }

  /** No name and no open: it goes away. */
  final boolean isDead() {
    return links == 0 && opens == null;
  }

  /** Of a symlink; empty else. */
  ByteString target() {
    return ByteString.EMPTY;
  }

  /** What st_size shows. */
  long shownSize() {
    return size;
  }

  final Attributes attributes() {
    return Attributes.newBuilder()
        .setInode(id)
        .setType(type())
        .setMode(mode())
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
        .setAtHome(isAtHome())
        .setCapability(hasCapability())
        .build();
  }

  final boolean hasCapability() {
    return xattrs != null && xattrs.get(CAPABILITY) != null;
  }

  /** Programs get more from this file than their callers have. */
  final boolean givesPrivileges() {
    return type() == FileType.FILE_TYPE_FILE
        && (hasCapability() || AttributeChange.withoutSetId(mode()) != mode());
  }

  /** The root of a new cluster gets its owner and its first times. */
  final void found(int owner, int group, long now) {
    uid = owner;
    gid = group;
    btime = now;
    atime = Math.max(atime, now);
    modified(now);
  }

  /** chmod, chown and utimens in one. */
  final void change(SetAttributes change, long now) {
    if (change.hasMode()) {
      setMode(change.getMode());
    }
    if (change.getKillModeBits() && type() == FileType.FILE_TYPE_FILE) {
      setMode(AttributeChange.withoutSetId(mode()));
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
  final void modified(long now) {
    mtime = now;
    changed(now);
  }

  /** The change time never runs backwards, though a home whose clock is ahead may have set it. */
  final void changed(long now) {
    ctime = Math.max(now, ctime + 1);
  }

  /** Takes the home's values; a change time set here meanwhile stays if it is later. */
  final void settle(Settle values) {
    size = values.getSize();
    allocatedBytes = values.getAllocatedBytes();
    mtime = Messages.nanos(values.getMtime());
    ctime = Math.max(ctime, Messages.nanos(values.getCtime()));
  }

  /** Values that are known to be older than what stands here are not taken. */
  final void settleIfLater(Settle values) {
    if (Messages.nanos(values.getMtime()) >= mtime) {
      settle(values);
    }
  }

  /** Notes a read, if that counts. */
  final void readAt(long time) {
    if (Relatime.moves(time, atime, mtime, ctime)) {
      atime = time;
    }
  }

  /** A checksum of all that clients can see of this inode but for names in it. */
  final long visible() {
    Fingerprint print = new Fingerprint();
    addVisibleTo(print);
    return print.value();
  }

  private void addVisibleTo(Fingerprint print) {
    print.add(id).add(bits & ~(TOUCHED | GONE)).add(target()).add(home);
    print.add(uid).add(gid).add(links).add(size).add(allocatedBytes);
    print.add(atime).add(mtime).add(ctime).add(btime);
    if (xattrs != null) {
      print.add(xattrs.print());
    }
  }

  /** A checksum of the inode but for names in it. */
  final long print() {
    Fingerprint print = new Fingerprint();
    addTo(print);
    return print.value();
  }

  void addTo(Fingerprint print) {
    addVisibleTo(print);
    if (opens != null) {
      opens.addTo(print);
    }
  }

  SnapshotInode.Builder record() {
    SnapshotInode.Builder record =
        SnapshotInode.newBuilder()
            .setId(id)
            .setType(type())
            .setMode(mode())
            .setUid(uid)
            .setGid(gid)
            .setLinks(links)
            .setSize(size)
            .setAllocatedBytes(allocatedBytes)
            .setAtime(atime)
            .setMtime(mtime)
            .setCtime(ctime)
            .setBtime(btime)
            .setHome(home)
            .setAtHome(isAtHome());
    if (opens != null) {
      record.addAllOpens(opens.records()).setShared(opens.isShared());
      InodeLocks locks = opens.locks();
      if (locks != null) {
        record.setLocks(locks.record(id));
      }
    }
    if (xattrs != null) {
      record.addAllXattrs(xattrs.records());
    }
    return record;
  }
}
