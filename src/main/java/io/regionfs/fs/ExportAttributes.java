package io.regionfs.fs;

import io.regionfs.meta.Export;
import io.regionfs.meta.Metadata;
import io.regionfs.model.Attributes;
import io.regionfs.model.Caller;
import io.regionfs.model.Errno;
import io.regionfs.model.Exporter;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import java.nio.charset.StandardCharsets;

/** The attributes {@code regionfs.lifetime} and {@code regionfs.exporter} of files. */
final class ExportAttributes {
  private static final String OF_PROCESS = Lifetime.OWNER.text() + ":";

  private final Metadata metadata;
  private final NodeId self;
  private final Exporters exporters;

  ExportAttributes(Metadata metadata, NodeId self, Exporters exporters) {
    this.metadata = metadata;
    this.self = self;
    this.exporters = exporters;
  }

  /** {@code file} or {@code owner}. */
  byte[] lifetime(InodeId inode) {
    requireFile(inode);
    Lifetime lifetime = metadata.export(inode) == null ? Lifetime.FILE : Lifetime.OWNER;
    return lifetime.text().getBytes(StandardCharsets.UTF_8);
  }

  /** The host's name and the process id; ENODATA if it lives until it is unlinked. */
  byte[] exporter(InodeId inode) {
    requireFile(inode);
    Export export = metadata.export(inode);
    if (export == null) {
      throw new FsException(Errno.ENODATA, "it lives until it is unlinked");
    }
    String text = metadata.node(export.home()).name() + " " + export.exporter().pid();
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * {@code file}, {@code owner} (a process that has it open for writing, the caller's first) or
   * {@code owner:PID}. EINVAL for another value, ESRCH if there is no such process, EOPNOTSUPP on
   * another host than its home.
   */
  void setLifetime(InodeId inode, byte[] value, Caller caller) {
    if (!requireFile(inode).home().equals(self)) {
      throw new FsException(Errno.EOPNOTSUPP, "only at its home: its processes export it");
    }
    String text = new String(value, StandardCharsets.UTF_8);
    if (text.equals(Lifetime.FILE.text())) {
      metadata.setExporter(inode, null);
      exporters.unwatch(inode);
      return;
    }
    Exporter exporter;
    if (text.equals(Lifetime.OWNER.text())) {
      exporter = exporters.ownerOf(inode, caller.pid());
    } else if (text.startsWith(OF_PROCESS)) {
      exporter = Exporters.of(pid(text.substring(OF_PROCESS.length())));
    } else {
      throw new FsException(Errno.EINVAL, "lifetime '" + text + "': file, owner or owner:PID");
    }
    metadata.setExporter(inode, exporter);
    exporters.watch(inode, exporter);
  }

  private static int pid(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new FsException(Errno.EINVAL, "'" + text + "' is no process id", e);
    }
  }

  private Attributes requireFile(InodeId inode) {
    Attributes attributes = metadata.attributes(inode);
    if (attributes.type() != FileType.FILE) {
      throw new FsException(Errno.ENODATA, "only a file has a lifetime");
    }
    return attributes;
  }
}
