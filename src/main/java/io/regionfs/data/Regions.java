package io.regionfs.data;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;

/** The regions of the cluster as one node reaches them, at home here or elsewhere. */
public interface Regions extends AutoCloseable {
  /**
   * @param mayBeNew nothing was ever written to it, so that its home makes it if it has none,
   *     before this returns; else a missing region is lost: EIO, here or at first use
   */
  @MustBeClosed
  Region open(InodeId inode, NodeId home, boolean mayBeNew);

  /** Size and times from the home, without opening. */
  RegionStat stat(InodeId inode, NodeId home);

  /**
   * Tells the home that the inode is dead. Best effort: the home also hears it from the metadata
   * service.
   */
  void drop(InodeId inode, NodeId home);

  /**
   * The inode at home here is dead while others may have it open: its bytes go, and who has it open
   * does not make it again.
   */
  default void end(InodeId inode) {}

  /** A buffer for {@link Region#read} and {@link Region#write}. */
  @MustBeClosed
  TransferBuffer newBuffer(int bytes);

  @Override
  void close();
}
