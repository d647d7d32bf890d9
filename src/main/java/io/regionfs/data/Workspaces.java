package io.regionfs.data;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.Fabric;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** The workspaces that are not in use: as many are made as operations ever ran at once. */
final class Workspaces implements AutoCloseable {
  private static final int SLAB_BYTES = 16 << 10;

  private final Fabric fabric;

  @GuardedBy("this")
  private final ArrayDeque<Workspace> free = new ArrayDeque<>();

  @GuardedBy("this")
  private final List<MappedBuffer> slabs = new ArrayList<>();

  @GuardedBy("this")
  private int usedOfLast = SLAB_BYTES;

  Workspaces(Fabric fabric) {
    this.fabric = fabric;
  }

  /** To be given back. */
  synchronized Workspace take(Connection connection) {
    Workspace workspace = free.pollLast();
    return workspace != null ? workspace : make(connection);
  }

  @GuardedBy("this")
  @SuppressWarnings("MustBeClosedChecker") // closed by close()
  private Workspace make(Connection connection) {
    if (usedOfLast == SLAB_BYTES) {
      slabs.add(MappedBuffer.make(fabric, SLAB_BYTES));
      usedOfLast = 0;
    }
    MappedBuffer slab = slabs.get(slabs.size() - 1);
    long address = slab.address() + usedOfLast;
    usedOfLast += Workspace.BYTES;
    return new Workspace(connection.newBatch(), address, slab.key());
  }

  synchronized void giveBack(Workspace workspace) {
    free.addLast(workspace);
  }

  @Override
  public synchronized void close() {
    free.clear();
    slabs.forEach(MappedBuffer::close);
    slabs.clear();
    usedOfLast = SLAB_BYTES;
  }
}
