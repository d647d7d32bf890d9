package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.proto.Create;
import io.regionfs.proto.SnapshotInode;

/** A symbolic link; its size is that of its target. */
final class Symlink extends Inode {
  private final ByteString target;

  Symlink(long id, Create create, int gid, int mode, long now) {
    super(id, create, gid, mode, now);
    target = create.getTarget();
  }

  Symlink(SnapshotInode record) {
    super(record);
    target = record.getTarget();
  }

  @Override
  ByteString target() {
    return target;
  }

  @Override
  long shownSize() {
    return target.size();
  }

  @Override
  SnapshotInode.Builder record() {
    return super.record().setTarget(target);
  }
}
