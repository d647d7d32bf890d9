package io.regionfs.metaserver.state;

import io.regionfs.proto.SnapshotOpen;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes have an inode open, and which of them write. A node counts its own processes, so here
 * it is listed once.
 *
 * <p>A write session lasts from the first writing node to the last one's close. It is shared once
 * two nodes wrote in it at the same time: then no single node's view of size and times at its close
 * is known to be the last one.
 */
final class Opens {
  /** Node to whether it writes. Sorted, so that every replica walks it alike. */
  private final TreeMap<Integer, Boolean> nodes = new TreeMap<>();

  private int writers;
  private boolean shared;

  /** Null while there are none: only who has it open can lock it. */
  private @Nullable InodeLocks locks;

  Opens() {}

  Opens(List<SnapshotOpen> records, boolean shared) {
    for (SnapshotOpen record : records) {
      open(record.getNode(), record.getWrite());
    }
    this.shared = shared;
  }

  void open(int node, boolean write) {
    boolean wrote = nodes.getOrDefault(node, false);
    nodes.put(node, wrote || write);
    if (write && !wrote) {
      writers++;
      shared |= writers > 1;
    }
  }

  /** Ends the node's write session; false if it had none. */
  boolean closeWrite(int node) {
    if (!nodes.getOrDefault(node, false)) {
      return false;
    }
    nodes.put(node, false);
    writers--;
    shared &= writers > 0;
    return true;
  }

  /** Ends the node's open with its write session, if any. */
  void close(int node) {
    closeWrite(node);
    nodes.remove(node);
  }

  /** In ascending order. */
  List<Integer> nodes() {
    return List.copyOf(nodes.keySet());
  }

  /** Those that write, in ascending order. */
  List<Integer> writers() {
    return nodes.entrySet().stream().filter(Map.Entry::getValue).map(Map.Entry::getKey).toList();
  }

  boolean isOpen() {
    return !nodes.isEmpty();
  }

  boolean isOpenBy(int node) {
    return nodes.containsKey(node);
  }

  @Nullable InodeLocks locks() {
    return locks;
  }

  void setLocks(@Nullable InodeLocks locks) {
    this.locks = locks;
  }

  boolean isWritten() {
    return writers > 0;
  }

  boolean isShared() {
    return shared;
  }

  List<SnapshotOpen> records() {
    List<SnapshotOpen> records = new ArrayList<>(nodes.size());
    nodes.forEach(
        (node, writes) ->
            records.add(SnapshotOpen.newBuilder().setNode(node).setWrite(writes).build()));
    return records;
  }

  void addTo(Fingerprint print) {
    nodes.forEach((node, writes) -> print.add(node).add(writes));
    print.add(writers).add(shared);
    if (locks != null) {
      locks.addTo(print);
    }
  }
}
