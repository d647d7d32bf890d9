package io.regionfs.data;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;

/** All regions of the cluster: those at home here by memory, the others by the fabric. */
public final class RoutedRegions implements Regions {
  private final NodeId self;
  private final Regions local;
  private final Regions remote;

  /** Both are borrowed. */
  public RoutedRegions(NodeId self, Regions local, Regions remote) {
    this.self = self;
    this.local = local;
    this.remote = remote;
  }

  private Regions of(NodeId home) {
    return home.equals(self) ? local : remote;
  }

  @Override
  @MustBeClosed
  public Region open(InodeId inode, NodeId home, boolean mayBeNew) {
    return of(home).open(inode, home, mayBeNew);
  }

  @Override
  public RegionStat stat(InodeId inode, NodeId home) {
    return of(home).stat(inode, home);
  }

  @Override
  public void drop(InodeId inode, NodeId home) {
    of(home).drop(inode, home);
  }

  @Override
  public void end(InodeId inode) {
    local.end(inode);
  }

  /** Registered memory, which serves both ways. */
  @Override
  @MustBeClosed
  public TransferBuffer newBuffer(int bytes) {
    return remote.newBuffer(bytes);
  }

  /** Closes neither: they are borrowed. */
  @Override
  public void close() {}
}
