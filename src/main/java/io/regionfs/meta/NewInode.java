package io.regionfs.meta;

import com.google.protobuf.ByteString;
import io.regionfs.model.Exporter;
import io.regionfs.model.FileType;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Metadata#create} makes.
 *
 * @param umask bits of the mode that count only if the directory has a default ACL
 * @param target of a symlink; empty else
 * @param home where a file's bytes will live
 * @param open the file is opened by this node in the same step, as by {@link Metadata#open}
 * @param openForWrite that open also starts a write session
 * @param exporter a file lives as long as this process of its home; null: until it is unlinked
 */
public record NewInode(
    InodeId parent,
    Name name,
    FileType type,
    int mode,
    int umask,
    int uid,
    int gid,
    ByteString target,
    NodeId home,
    boolean open,
    boolean openForWrite,
    @Nullable Exporter exporter) {
  /** Lives until it is unlinked. */
  public NewInode(
      InodeId parent,
      Name name,
      FileType type,
      int mode,
      int umask,
      int uid,
      int gid,
      ByteString target,
      NodeId home,
      boolean open,
      boolean openForWrite) {
    this(parent, name, type, mode, umask, uid, gid, target, home, open, openForWrite, null);
  }
}
