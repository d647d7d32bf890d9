package io.regionfs.meta;

import com.google.protobuf.ByteString;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.Exporter;
import io.regionfs.model.FileType;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.proto.NodeInfo;
import io.regionfs.proto.SetAttributes;
import io.regionfs.proto.Settle;
import io.regionfs.proto.Time;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Instant;

/** Messages to values of the model and back. */
public final class Messages {
  private static final long SECOND = 1_000_000_000L;

  private Messages() {}

  public static Time time(Instant instant) {
    return Time.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  /** From nanoseconds since 1970. */
  public static Time time(long nanos) {
    return Time.newBuilder()
        .setSeconds(Math.floorDiv(nanos, SECOND))
        .setNanos((int) Math.floorMod(nanos, SECOND))
        .build();
  }

  public static Instant instant(Time time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }

  /** Nanoseconds since 1970; a time outside the years 1677 to 2262 becomes the nearest inside. */
  public static long nanos(Time time) {
    long limit = Long.MAX_VALUE / SECOND - 1;
    long seconds = Math.max(-limit, Math.min(limit, time.getSeconds()));
    return seconds * SECOND + time.getNanos();
  }

  public static Attributes attributes(io.regionfs.proto.Attributes message) {
    return new Attributes(
        new InodeId(message.getInode()),
        type(message.getType()),
        message.getMode(),
        message.getUid(),
        message.getGid(),
        message.getLinks(),
        message.getSize(),
        message.getAllocatedBytes(),
        instant(message.getAtime()),
        instant(message.getMtime()),
        instant(message.getCtime()),
        instant(message.getBtime()),
        new NodeId(message.getHome()),
        message.getAtHome(),
        message.getCapability());
  }

  /** EPROTO for a type that this version does not know. */
  public static FileType type(io.regionfs.proto.FileType type) {
    return switch (type) {
      case FILE_TYPE_FILE -> FileType.FILE;
      case FILE_TYPE_DIRECTORY -> FileType.DIRECTORY;
      case FILE_TYPE_SYMLINK -> FileType.SYMLINK;
      default -> throw new FsException(Errno.EPROTO, "unknown type of inode");
    };
  }

  public static io.regionfs.proto.FileType type(FileType type) {
    return switch (type) {
      case FILE -> io.regionfs.proto.FileType.FILE_TYPE_FILE;
      case DIRECTORY -> io.regionfs.proto.FileType.FILE_TYPE_DIRECTORY;
      case SYMLINK -> io.regionfs.proto.FileType.FILE_TYPE_SYMLINK;
    };
  }

  public static ByteString bytes(Name name) {
    return ByteString.copyFrom(name.bytes());
  }

  public static Settle settle(InodeId inode, RegionStat stat) {
    return Settle.newBuilder()
        .setInode(inode.value())
        .setSize(stat.size())
        .setAllocatedBytes(stat.allocatedBytes())
        .setMtime(time(stat.mtime()))
        .setCtime(time(stat.ctime()))
        .build();
  }

  public static RegionStat regionStat(Settle message) {
    return new RegionStat(
        message.getSize(),
        message.getAllocatedBytes(),
        instant(message.getMtime()),
        instant(message.getCtime()));
  }

  static SetAttributes setAttributes(InodeId inode, AttributeChange change) {
    SetAttributes.Builder set = SetAttributes.newBuilder().setInode(inode.value());
    if (change.mode() != null) {
      set.setMode(change.mode());
    }
    if (change.uid() != null) {
      set.setUid(change.uid());
    }
    if (change.gid() != null) {
      set.setGid(change.gid());
    }
    AttributeChange.TimeChange atime = change.atime();
    if (atime != null) {
      if (atime.time() == null) {
        set.setAtimeNow(true);
      } else {
        set.setAtime(time(atime.time()));
      }
    }
    AttributeChange.TimeChange mtime = change.mtime();
    if (mtime != null) {
      if (mtime.time() == null) {
        set.setMtimeNow(true);
      } else {
        set.setMtime(time(mtime.time()));
      }
    }
    return set.setKillCapability(change.kill() != AttributeChange.Kill.NOTHING)
        .setKillModeBits(change.kill() == AttributeChange.Kill.ALL)
        .build();
  }

  public static Metadata.Removal removal(io.regionfs.proto.Removal message) {
    return message.getDeadInode() == 0
        ? Metadata.Removal.NOTHING
        : new Metadata.Removal(new InodeId(message.getDeadInode()), new NodeId(message.getHome()));
  }

  static Metadata.DirectoryPage page(io.regionfs.proto.DirectoryPage message) {
    return new Metadata.DirectoryPage(
        message.getEntriesList().stream()
            .map(
                entry ->
                    new Metadata.Entry(
                        Name.of(entry.getName().toByteArray()),
                        new InodeId(entry.getInode()),
                        type(entry.getType()),
                        entry.getCookie()))
            .toList(),
        message.getLast(),
        new InodeId(message.getParent()));
  }

  static Node node(NodeInfo message) {
    return new Node(
        new NodeId(message.getNode()),
        message.getName(),
        address(message.getRpcAddress()),
        address(message.getDataAddress()),
        message.getAlive(),
        message.getCapacityBytes(),
        message.getUsedBytes(),
        message.getRegions(),
        message.getFabric());
  }

  /** As {@code IP:PORT}. */
  public static String text(InetSocketAddress address) {
    InetAddress ip = address.getAddress();
    return (ip == null ? address.getHostString() : ip.getHostAddress()) + ":" + address.getPort();
  }

  /** From {@code IP:PORT}; EPROTO if it is none. */
  public static InetSocketAddress address(String text) {
    int colon = text.lastIndexOf(':');
    try {
      int port = Integer.parseInt(text.substring(colon + 1));
      return new InetSocketAddress(
          InetAddress.getByName(text.substring(0, Math.max(colon, 0))), port);
    } catch (UnknownHostException | IllegalArgumentException e) {
      throw new FsException(Errno.EPROTO, "not an address: \"" + text + "\"", e);
    }
  }

  static io.regionfs.proto.Exporter exporter(Exporter exporter) {
    return io.regionfs.proto.Exporter.newBuilder()
        .setPid(exporter.pid())
        .setStart(exporter.start())
        .build();
  }

  static Export export(io.regionfs.proto.Export export) {
    return new Export(
        new InodeId(export.getInode()),
        new NodeId(export.getHome()),
        new Exporter(export.getExporter().getPid(), export.getExporter().getStart()),
        export.getEnded());
  }
}
