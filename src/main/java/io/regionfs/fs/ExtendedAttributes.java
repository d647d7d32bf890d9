package io.regionfs.fs;

import io.regionfs.meta.Metadata;
import io.regionfs.meta.Node;
import io.regionfs.model.Attributes;
import io.regionfs.model.Caller;
import io.regionfs.model.Errno;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;

/**
 * xattr(7): {@code user.}, {@code trusted.}, {@code security.} and POSIX ACLs are kept by the
 * metadata service; what else is below {@code system.} is not supported. {@code regionfs.fabric}
 * and {@code regionfs.home} are made up when read, with and without {@code user.} before them, and
 * not listed; to read or set {@code regionfs.refresh} brings mappings up to date.
 */
final class ExtendedAttributes {
  private static final List<String> STORED =
      List.of("user.", "trusted.", "security.", "system.posix_acl_");
  private static final String USER = "user.";
  private static final String OWN = "regionfs.";
  private static final String FABRIC = "regionfs.fabric";
  private static final String HOME = "regionfs.home";
  private static final String REFRESH = "regionfs.refresh";
  private static final String LIFETIME = "regionfs.lifetime";
  private static final String EXPORTER = "regionfs.exporter";

  private final Metadata metadata;
  private final NodeId self;
  private final FsOptions options;
  private final Consumer<InodeId> refresh;
  private final ExportAttributes exports;

  /**
   * @param refresh brings the mappings of a file up to date
   */
  ExtendedAttributes(
      Metadata metadata,
      NodeId self,
      FsOptions options,
      ExportAttributes exports,
      Consumer<InodeId> refresh) {
    this.exports = exports;
    this.refresh = refresh;
    this.metadata = metadata;
    this.self = self;
    this.options = options;
  }

  byte[] get(InodeId inode, byte[] name) {
    String text = text(name);
    return switch (plain(text)) {
      case FABRIC -> fabric(inode).getBytes(StandardCharsets.UTF_8);
      case HOME -> home(inode);
      case LIFETIME -> exports.lifetime(inode);
      case EXPORTER -> exports.exporter(inode);
      case REFRESH -> {
        refresh.accept(inode);
        yield new byte[0];
      }
      default -> {
        requireStored(text);
        yield metadata.xattr(inode, name);
      }
    };
  }

  List<byte[]> names(InodeId inode) {
    return metadata.xattrNames(inode);
  }

  void set(InodeId inode, byte[] name, byte[] value, int flags, Caller caller) {
    switch (plain(text(name))) {
      case REFRESH -> refresh.accept(inode);
      case LIFETIME -> exports.setLifetime(inode, value, caller);
      default -> {
        requireChangeable(name);
        metadata.setXattr(inode, name, value, flags);
      }
    }
  }

  void remove(InodeId inode, byte[] name) {
    requireChangeable(name);
    metadata.removeXattr(inode, name);
  }

  /** What carries a file's bytes between this host and their home; of others, this host's own. */
  private String fabric(InodeId inode) {
    Attributes attributes = metadata.attributes(inode);
    if (attributes.type() != FileType.FILE) {
      return options.fabric();
    }
    if (attributes.home().equals(self)) {
      return "local; other hosts by " + options.fabric();
    }
    Node home = metadata.node(attributes.home());
    return options.fabric() + "; home " + home.name() + ": " + home.fabric();
  }

  private byte[] home(InodeId inode) {
    var attributes = metadata.attributes(inode);
    if (attributes.type() != FileType.FILE) {
      throw new FsException(Errno.ENODATA, "only a file has a home");
    }
    return metadata.node(attributes.home()).name().getBytes(StandardCharsets.UTF_8);
  }

  private static void requireChangeable(byte[] name) {
    String text = text(name);
    if (plain(text).startsWith(OWN)) {
      throw new FsException(Errno.EPERM, text + " cannot be changed");
    }
    requireStored(text);
  }

  private static void requireStored(String name) {
    if (STORED.stream().noneMatch(name::startsWith)) {
      throw new FsException(Errno.EOPNOTSUPP, "attribute " + name);
    }
  }

  private static String plain(String name) {
    return name.startsWith(USER + OWN) ? name.substring(USER.length()) : name;
  }

  private static String text(byte[] name) {
    return new String(name, StandardCharsets.UTF_8);
  }
}
