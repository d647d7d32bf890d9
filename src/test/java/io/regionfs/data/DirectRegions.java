package io.regionfs.data;

import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/** Regions that the kernel of their home may use itself from when they are first opened. */
@SuppressWarnings("MustBeClosedChecker") // closed by those who open, and by the result
public final class DirectRegions implements Regions {
  private final Regions home;
  private final Regions way;
  private final Map<InodeId, BackingFile> files = new ConcurrentHashMap<>();

  /**
   * @param home where the regions are
   * @param way as they are reached; may be the same; closed with this
   */
  public DirectRegions(Regions home, Regions way) {
    this.home = home;
    this.way = way;
  }

  @Override
  public Region open(InodeId inode, NodeId at, boolean mayBeNew) {
    Region opened = way.open(inode, at, mayBeNew);
    begin(inode, at);
    return opened;
  }

  /** Its file, which is open from now on, if it was not yet. */
  public BackingFile begin(InodeId inode, NodeId at) {
    return files.computeIfAbsent(
        inode,
        id -> {
          try (Region region = home.open(id, at, false)) {
            return Objects.requireNonNull(region.passThrough());
          }
        });
  }

  /** The kernel uses it no more. */
  public void leave(InodeId inode) {
    BackingFile file = files.remove(inode);
    if (file != null) {
      file.close();
    }
  }

  @Override
  public RegionStat stat(InodeId inode, NodeId at) {
    return way.stat(inode, at);
  }

  @Override
  public void drop(InodeId inode, NodeId at) {
    way.drop(inode, at);
    leave(inode);
  }

  @Override
  public TransferBuffer newBuffer(int bytes) {
    return way.newBuffer(bytes);
  }

  @Override
  public void close() {
    files.keySet().forEach(this::leave);
    way.close();
  }
}
