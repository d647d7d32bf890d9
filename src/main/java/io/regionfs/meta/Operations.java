package io.regionfs.meta;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Metadata.Closing;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.Exporter;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.proto.Close;
import io.regionfs.proto.CloseFiles;
import io.regionfs.proto.Create;
import io.regionfs.proto.Dropped;
import io.regionfs.proto.ExportFile;
import io.regionfs.proto.Link;
import io.regionfs.proto.Open;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Remove;
import io.regionfs.proto.RemoveXattr;
import io.regionfs.proto.Rename;
import io.regionfs.proto.SetXattr;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The operations that a client asks for, as messages. */
final class Operations {
  private Operations() {}

  static Operation.Builder create(NewInode inode) {
    return Operation.newBuilder().setCreate(message(inode));
  }

  /** The inode is open by the node from the start. */
  static Operation.Builder createOpen(NewInode inode, NodeId node) {
    Create.Builder create = message(inode);
    create.setOpenForWrite(inode.openForWrite()).setOpenBy(node.value());
    return Operation.newBuilder().setCreate(create);
  }

  private static Create.Builder message(NewInode inode) {
    Create.Builder create = Create.newBuilder();
    if (inode.exporter() != null) {
      create.setExporter(Messages.exporter(inode.exporter()));
    }
    return create
        .setParent(inode.parent().value())
        .setName(Messages.bytes(inode.name()))
        .setType(Messages.type(inode.type()))
        .setMode(inode.mode())
        .setUmask(inode.umask())
        .setUid(inode.uid())
        .setGid(inode.gid())
        .setTarget(inode.target())
        .setHome(inode.home().value());
  }

  static Operation.Builder link(InodeId inode, InodeId parent, Name name) {
    Link.Builder link =
        Link.newBuilder()
            .setInode(inode.value())
            .setParent(parent.value())
            .setName(Messages.bytes(name));
    return Operation.newBuilder().setLink(link);
  }

  static Operation.Builder remove(InodeId parent, Name name, boolean directory) {
    Remove.Builder remove =
        Remove.newBuilder()
            .setParent(parent.value())
            .setName(Messages.bytes(name))
            .setDirectory(directory);
    return Operation.newBuilder().setRemove(remove);
  }

  static Operation.Builder rename(
      InodeId oldParent, Name oldName, InodeId newParent, Name newName, int flags) {
    Rename.Builder rename =
        Rename.newBuilder()
            .setOldParent(oldParent.value())
            .setOldName(Messages.bytes(oldName))
            .setNewParent(newParent.value())
            .setNewName(Messages.bytes(newName))
            .setFlags(flags);
    return Operation.newBuilder().setRename(rename);
  }

  static Operation.Builder setAttributes(InodeId inode, AttributeChange change) {
    return Operation.newBuilder().setSetAttributes(Messages.setAttributes(inode, change));
  }

  static Operation.Builder open(InodeId inode, NodeId node, boolean write) {
    Open.Builder open =
        Open.newBuilder().setInode(inode.value()).setWrite(write).setNode(node.value());
    return Operation.newBuilder().setOpen(open);
  }

  /**
   * @param stat null leaves what was committed last
   */
  static Operation.Builder closeWrite(InodeId inode, NodeId node, @Nullable RegionStat stat) {
    return Operation.newBuilder().setClose(message(inode, node, stat, null).setWrite(true));
  }

  /**
   * @param stat null leaves what was committed last
   * @param readAt null if it was not read
   */
  static Operation.Builder close(
      InodeId inode, NodeId node, @Nullable RegionStat stat, @Nullable Instant readAt) {
    return Operation.newBuilder().setClose(message(inode, node, stat, readAt));
  }

  static Operation.Builder closeFiles(List<Closing> closings, NodeId node) {
    CloseFiles.Builder files = CloseFiles.newBuilder();
    for (Closing closing : closings) {
      files.addCloses(message(closing.inode(), node, null, closing.readAt()));
    }
    return Operation.newBuilder().setCloseFiles(files);
  }

  private static Close.Builder message(
      InodeId inode, NodeId node, @Nullable RegionStat stat, @Nullable Instant readAt) {
    Close.Builder close = Close.newBuilder().setInode(inode.value()).setNode(node.value());
    if (stat != null) {
      close.setSettled(Messages.settle(inode, stat));
    }
    if (readAt != null) {
      close.setAtime(Messages.time(readAt));
    }
    return close;
  }

  static Operation.Builder settle(InodeId inode, RegionStat stat) {
    return Operation.newBuilder().setSettle(Messages.settle(inode, stat));
  }

  static Operation.Builder setXattr(InodeId inode, byte[] name, byte[] value, int flags) {
    SetXattr.Builder set =
        SetXattr.newBuilder()
            .setInode(inode.value())
            .setName(ByteString.copyFrom(name))
            .setValue(ByteString.copyFrom(value))
            .setFlags(flags);
    return Operation.newBuilder().setSetXattr(set);
  }

  static Operation.Builder removeXattr(InodeId inode, byte[] name) {
    RemoveXattr.Builder remove =
        RemoveXattr.newBuilder().setInode(inode.value()).setName(ByteString.copyFrom(name));
    return Operation.newBuilder().setRemoveXattr(remove);
  }

  static Operation.Builder exportFile(InodeId inode, @Nullable Exporter exporter) {
    ExportFile.Builder export = ExportFile.newBuilder().setInode(inode.value());
    if (exporter != null) {
      export.setExporter(Messages.exporter(exporter));
    }
    return Operation.newBuilder().setExportFile(export);
  }

  static Operation.Builder endExport(InodeId inode) {
    return Operation.newBuilder().setEndExport(inode.value());
  }

  /** The node has dropped what it had of these inodes, which are gone. */
  static Operation.Builder dropped(List<InodeId> inodes, NodeId node) {
    Dropped.Builder dropped = Dropped.newBuilder().setNode(node.value());
    inodes.forEach(inode -> dropped.addInodes(inode.value()));
    return Operation.newBuilder().setDropped(dropped);
  }
}
