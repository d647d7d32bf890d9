package io.regionfs.metaserver.state;

import io.regionfs.proto.AddReplica;
import io.regionfs.proto.Export;
import io.regionfs.proto.SnapshotDead;
import io.regionfs.proto.SnapshotHeader;
import io.regionfs.proto.SnapshotMember;
import io.regionfs.proto.SnapshotRecord;
import io.regionfs.proto.SnapshotSession;
import java.util.ArrayList;
import java.util.List;

/** The records of a snapshot but for those of which there are millions. */
final class SmallState {
  /** Of the snapshot's format and of how its fingerprint is computed. */
  static final int VERSION = 1;

  private SmallState() {}

  /** As they stand between two commands. */
  static List<SnapshotRecord> records(Namespace namespace) {
    List<SnapshotRecord> records = new ArrayList<>();
    records.add(SnapshotRecord.newBuilder().setHeader(header(namespace)).build());
    namespace
        .cluster()
        .replicas()
        .forEach(
            (id, disk) -> {
              AddReplica replica = AddReplica.newBuilder().setId(id).setDisk(disk).build();
              records.add(SnapshotRecord.newBuilder().setReplica(replica).build());
            });
    for (SnapshotMember member : namespace.nodes().records()) {
      records.add(SnapshotRecord.newBuilder().setMember(member).build());
    }
    for (SnapshotSession session : namespace.answers().records()) {
      records.add(SnapshotRecord.newBuilder().setSession(session).build());
    }
    for (Export export : namespace.inodes().exports().records()) {
      records.add(SnapshotRecord.newBuilder().setExport(export).build());
    }
    return records;
  }

  private static SnapshotHeader header(Namespace namespace) {
    return SnapshotHeader.newBuilder()
        .setVersion(VERSION)
        .setLastStamp(namespace.lastStamp())
        .setCommands(namespace.commands())
        .setLastInode(namespace.lastInode())
        .setClusterId(namespace.clusterId())
        .setLastNode(namespace.nodes().lastId())
        .setNodesVersion(namespace.nodes().version())
        .setInodes(namespace.inodes().count())
        .build();
  }

  /** Takes in a record of these, or of dead inodes; throws if it does not fit. */
  static void restore(Namespace namespace, SnapshotRecord record) {
    switch (record.getRecordCase()) {
      case REPLICA -> namespace.cluster().add(record.getReplica());
      case MEMBER -> namespace.nodes().restore(record.getMember());
      case EXPORT -> namespace.inodes().exports().restore(record.getExport());
      case SESSION -> namespace.answers().restore(record.getSession());
      case DEAD -> {
        SnapshotDead dead = record.getDead();
        dead.getInodesList().forEach(inode -> namespace.inodes().addDead(dead.getHome(), inode));
      }
      default -> throw new IllegalArgumentException("unknown record");
    }
  }
}
