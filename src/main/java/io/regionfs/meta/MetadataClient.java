package io.regionfs.meta;

import com.google.protobuf.ByteString;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.proto.Close;
import io.regionfs.proto.CloseFiles;
import io.regionfs.proto.Create;
import io.regionfs.proto.Dropped;
import io.regionfs.proto.Link;
import io.regionfs.proto.Open;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Query;
import io.regionfs.proto.Remove;
import io.regionfs.proto.RemoveXattr;
import io.regionfs.proto.Rename;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.proto.SetAttributes;
import io.regionfs.proto.SetXattr;
import io.regionfs.rpc.RpcClient;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The metadata over calls to the replicas of the service. What it is given stays the caller's to
 * close. It keeps answers as long as the service's leases allow; a {@link RecallHandler} and a
 * {@link Membership} see to that, without them it keeps nothing. Opening needs a {@link
 * Membership}, which tells it which node it speaks for.
 */
public final class MetadataClient implements Metadata {
  /** Finding a node must not take long while the service is away: there is an older list. */
  private static final Duration NODES_DEADLINE = Duration.ofSeconds(1);

  private static final long REJOIN_PAUSE_MILLIS = 100;
  private static final Ping PING = Ping.getDefaultInstance();

  private final Calls calls;
  private final NodeCache cache = new NodeCache();
  private final CachedQueries queries =
      new CachedQueries(cache, query -> calls().answer(request().setQuery(query)));
  private final KnownNodes known = new KnownNodes(this::tryToListNodes, this::nodes);
  private volatile NodeId self = NodeId.NONE;
  private volatile boolean closed;

  /** Calls these and no others, whoever they name as their leader. */
  public MetadataClient(List<RpcClient> replicas, MetadataClientOptions options) {
    this(Replicas.of(replicas), options);
  }

  /** The replicas stay the caller's to close, after this. */
  public MetadataClient(Replicas replicas, MetadataClientOptions options) {
    this.calls = new Calls(replicas, options);
  }

  @Override
  public Attributes lookup(InodeId parent, Name name) {
    return queries.lookup(parent, name);
  }

  @Override
  public Attributes attributes(InodeId inode) {
    return queries.attributes(inode);
  }

  @Override
  public DirectoryPage list(InodeId directory, long afterCookie) {
    return queries.list(directory, afterCookie);
  }

  @Override
  public byte[] readLink(InodeId symlink) {
    return queries.readLink(symlink);
  }

  @Override
  public Attributes create(NewInode inode) {
    Create.Builder create =
        Create.newBuilder()
            .setParent(inode.parent().value())
            .setName(Messages.bytes(inode.name()))
            .setType(Messages.type(inode.type()))
            .setMode(inode.mode())
            .setUmask(inode.umask())
            .setUid(inode.uid())
            .setGid(inode.gid())
            .setTarget(inode.target())
            .setHome(inode.home().value());
    if (!inode.open()) {
      return attributes(command(Operation.newBuilder().setCreate(create), inode.parent()));
    }
    create.setOpenForWrite(inode.openForWrite());
    return asMember(
        node -> Operation.newBuilder().setCreate(create.setOpenBy(node.value())), inode.parent());
  }

  @Override
  public Attributes link(InodeId inode, InodeId parent, Name name) {
    Link link =
        Link.newBuilder()
            .setInode(inode.value())
            .setParent(parent.value())
            .setName(Messages.bytes(name))
            .build();
    return attributes(command(Operation.newBuilder().setLink(link), inode, parent));
  }

  @Override
  public Removal unlink(InodeId parent, Name name) {
    return remove(parent, name, false);
  }

  @Override
  public void rmdir(InodeId parent, Name name) {
    remove(parent, name, true);
  }

  private Removal remove(InodeId parent, Name name, boolean directory) {
    Remove remove =
        Remove.newBuilder()
            .setParent(parent.value())
            .setName(Messages.bytes(name))
            .setDirectory(directory)
            .build();
    return removal(
        command(Operation.newBuilder().setRemove(remove), parent, queries.child(parent, name)));
  }

  @Override
  public Removal rename(
      InodeId oldParent, Name oldName, InodeId newParent, Name newName, int flags) {
    Rename rename =
        Rename.newBuilder()
            .setOldParent(oldParent.value())
            .setOldName(Messages.bytes(oldName))
            .setNewParent(newParent.value())
            .setNewName(Messages.bytes(newName))
            .setFlags(flags)
            .build();
    return removal(
        command(
            Operation.newBuilder().setRename(rename),
            oldParent,
            newParent,
            queries.child(oldParent, oldName),
            queries.child(newParent, newName)));
  }

  @Override
  public Attributes setAttributes(InodeId inode, AttributeChange change) {
    if (change.size() != null) {
      throw new IllegalArgumentException("the size is set at the region's home");
    }
    SetAttributes set = Messages.setAttributes(inode, change);
    return attributes(command(Operation.newBuilder().setSetAttributes(set), inode));
  }

  @Override
  public Attributes open(InodeId inode, boolean write) {
    Open.Builder open = Open.newBuilder().setInode(inode.value()).setWrite(write);
    return asMember(
        node -> Operation.newBuilder().setOpen(open.setNode(node.value())), write ? inode : null);
  }

  @Override
  public boolean closeWrite(InodeId inode, @Nullable RegionStat stat) {
    Close.Builder close =
        Close.newBuilder().setInode(inode.value()).setNode(self.value()).setWrite(true);
    if (stat != null) {
      close.setSettled(Messages.settle(inode, stat));
    }
    return !command(Operation.newBuilder().setClose(close), inode).getAttributes().getAtHome();
  }

  @Override
  public Closed close(InodeId inode, @Nullable RegionStat stat, @Nullable Instant readAt) {
    Close.Builder close = Close.newBuilder().setInode(inode.value()).setNode(self.value());
    if (stat != null) {
      close.setSettled(Messages.settle(inode, stat));
    }
    if (readAt != null) {
      close.setAtime(Messages.time(readAt));
    }
    // If it changes what is not expected here, it is recalled.
    boolean changes = stat != null || (readAt != null && queries.movesAccessTime(inode, readAt));
    Reply reply = command(Operation.newBuilder().setClose(close), changes ? inode : null);
    return new Closed(removal(reply), reply.getRemoval().getAtHome());
  }

  @Override
  public List<Removal> closeAll(List<Closing> closings) {
    CloseFiles.Builder files = CloseFiles.newBuilder();
    List<InodeId> changed = new ArrayList<>();
    for (Closing closing : closings) {
      Close.Builder close = files.addClosesBuilder();
      close.setInode(closing.inode().value()).setNode(self.value());
      Instant readAt = closing.readAt();
      if (readAt != null) {
        close.setAtime(Messages.time(readAt));
        if (queries.movesAccessTime(closing.inode(), readAt)) {
          changed.add(closing.inode());
        }
      }
    }
    Reply reply =
        command(Operation.newBuilder().setCloseFiles(files), changed.toArray(new InodeId[0]));
    return reply.getRemovals().getRemovalsList().stream().map(Messages::removal).toList();
  }

  @Override
  public void settle(InodeId inode, RegionStat stat) {
    command(Operation.newBuilder().setSettle(Messages.settle(inode, stat)), inode);
  }

  @Override
  public byte[] xattr(InodeId inode, byte[] name) {
    return queries.xattr(inode, ByteString.copyFrom(name));
  }

  @Override
  public List<byte[]> xattrNames(InodeId inode) {
    return queries.xattrNames(inode);
  }

  @Override
  public void setXattr(InodeId inode, byte[] name, byte[] value, int flags) {
    SetXattr set =
        SetXattr.newBuilder()
            .setInode(inode.value())
            .setName(ByteString.copyFrom(name))
            .setValue(ByteString.copyFrom(value))
            .setFlags(flags)
            .build();
    command(Operation.newBuilder().setSetXattr(set), inode);
  }

  @Override
  public void removeXattr(InodeId inode, byte[] name) {
    RemoveXattr remove =
        RemoveXattr.newBuilder().setInode(inode.value()).setName(ByteString.copyFrom(name)).build();
    command(Operation.newBuilder().setRemoveXattr(remove), inode);
  }

  @Override
  public Space space() {
    io.regionfs.proto.SpaceReport space = ask(Query.newBuilder().setSpace(PING)).getSpace();
    return new Space(space.getCapacityBytes(), space.getUsedBytes(), space.getInodes());
  }

  @Override
  public List<Node> nodes() {
    return nodes(ask(Query.newBuilder().setNodes(PING)));
  }

  private static List<Node> nodes(Reply reply) {
    return reply.getNodes().getNodesList().stream().map(Messages::node).toList();
  }

  private @Nullable List<Node> tryToListNodes() {
    Request.Builder request = Request.newBuilder().setQuery(Query.newBuilder().setNodes(PING));
    Reply reply = calls.tryOnce(request, NODES_DEADLINE);
    return reply == null ? null : nodes(reply);
  }

  @Override
  public Node node(NodeId id) {
    Node node = known.find(id);
    if (node == null) {
      throw new FsException(Errno.EIO, "node " + id + " is not known");
    }
    return node;
  }

  @Override
  public ServiceReport service() {
    io.regionfs.proto.ServiceReport report = ask(Query.newBuilder().setService(PING)).getService();
    return new ServiceReport(
        report.getClusterId(),
        report.getLeader(),
        report.getInodes(),
        report.getCommands(),
        report.getQueries(),
        report.getUptimeSeconds());
  }

  @Override
  public long leasedNanos(InodeId inode) {
    return cache.leasedNanos(inode);
  }

  @Override
  public void onForget(ForgetListener listener) {
    cache.listen(listener);
  }

  /** Calls that wait for the service fail with ENOTCONN from now on. */
  @Override
  public void close() {
    closed = true;
    calls.close();
  }

  /** The node that opens and closes from now on. */
  void speakFor(NodeId node) {
    self = node;
  }

  /** The list of nodes has this version now; another than before means that it changed. */
  void nodesVersion(long version) {
    known.version(version);
  }

  void dropped(List<InodeId> inodes) {
    Dropped.Builder dropped = Dropped.newBuilder().setNode(self.value());
    inodes.forEach(inode -> dropped.addInodes(inode.value()));
    command(Operation.newBuilder().setDropped(dropped));
  }

  Calls calls() {
    return calls;
  }

  NodeCache cache() {
    return cache;
  }

  private Reply ask(Query.Builder query) {
    return calls.ask(request().setQuery(query));
  }

  /**
   * @param touched the inodes that it may change, as far as they are known here
   */
  private Reply command(Operation.Builder operation, @Nullable InodeId... touched) {
    List<InodeId> forgotten = Arrays.stream(touched).filter(Objects::nonNull).distinct().toList();
    Request.Builder request = request().setOperation(operation);
    forgotten.forEach(inode -> request.addForgotten(inode.value()));
    cache.change(forgotten);
    try {
      return calls.command(request);
    } finally {
      cache.changed(forgotten);
    }
  }

  private Request.Builder request() {
    return Request.newBuilder().setNode(self.value());
  }

  private static Attributes attributes(Reply reply) {
    return Messages.attributes(reply.getAttributes());
  }

  private static Removal removal(Reply reply) {
    return Messages.removal(reply.getRemoval());
  }

  /** An operation in the name of a node. */
  private interface NodeOperation {
    Operation.Builder of(NodeId node);
  }

  /**
   * A node whose lease has run out is refused with ESTALE; its membership notices that within a
   * renewal and joins again, and only then it can open anything.
   */
  private Attributes asMember(NodeOperation operation, @Nullable InodeId touched) {
    while (true) {
      if (self.equals(NodeId.NONE)) {
        throw new FsException(Errno.ENOTCONN, "not a member of a cluster");
      }
      try {
        return attributes(command(operation.of(self), touched));
      } catch (FsException e) {
        if (e.errno() != Errno.ESTALE || closed) {
          throw e;
        }
      }
      try {
        Thread.sleep(REJOIN_PAUSE_MILLIS);
      } catch (InterruptedException e) {
        throw new FsException(Errno.EINTR, "interrupted while joining the cluster again", e);
      }
    }
  }
}
