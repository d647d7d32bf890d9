package io.regionfs.data;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.meta.Messages;
import io.regionfs.meta.Metadata;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.Ping;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.verbs.Fabric;

/**
 * The regions at home on other hosts. One connection and one client for calls per home, shared by
 * all threads, opened on demand. Closed when nobody uses its regions and buffers any more; what it
 * was given is borrowed.
 */
public final class RemoteRegions implements Regions {
  private final Fabric fabric;
  private final Homes homes;
  private final HomeCaller caller;
  private final Workspaces workspaces;

  public RemoteRegions(
      Metadata metadata, Fabric fabric, RpcTransport transport, RemoteOptions options) {
    this.fabric = fabric;
    this.homes = new Homes(metadata, fabric, transport, options);
    this.caller = new HomeCaller(homes);
    this.workspaces = new Workspaces(fabric);
  }

  @Override
  @MustBeClosed
  public Region open(InodeId inode, NodeId home, boolean mayBeNew) {
    RemoteRegion region = new RemoteRegion(inode, home, mayBeNew, homes, caller, workspaces);
    if (mayBeNew) {
      region.attach(); // so that whoever asks the home for it finds it
    }
    return region;
  }

  @Override
  public RegionStat stat(InodeId inode, NodeId home) {
    HomeCall call =
        HomeCall.newBuilder().setInode(inode.value()).setStat(Ping.getDefaultInstance()).build();
    return Messages.regionStat(
        caller.untilAnswered(home, call, homes.options().attempt()).getStat());
  }

  @Override
  public void drop(InodeId inode, NodeId home) {
    HomeCall call =
        HomeCall.newBuilder().setInode(inode.value()).setDrop(Ping.getDefaultInstance()).build();
    homes.tryOnce(home, link -> caller.once(link, call, homes.options().attempt()));
  }

  @Override
  @MustBeClosed
  public TransferBuffer newBuffer(int bytes) {
    return MappedBuffer.make(fabric, bytes);
  }

  @Override
  public void close() {
    homes.close();
    workspaces.close();
  }
}
