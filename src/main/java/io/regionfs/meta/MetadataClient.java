package io.regionfs.meta;

import com.google.protobuf.ByteString;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.Exporter;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
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

  private static final Ping PING = Ping.getDefaultInstance();

  private final Calls calls;
  private final NodeCache cache = new NodeCache();
  private final Commands commands;
  private final CachedQueries queries;
  private final LockCalls locks;
  private final KnownNodes known = new KnownNodes(this::tryToListNodes, this::nodes);

  /** Calls these and no others, whoever they name as their leader. */
  public MetadataClient(List<RpcClient> replicas, MetadataClientOptions options) {
    this(Replicas.of(replicas), options);
  }

  /** The replicas stay the caller's to close, after this. */
  public MetadataClient(Replicas replicas, MetadataClientOptions options) {
    this.calls = new Calls(replicas, options);
    this.commands = new Commands(calls, cache);
    this.locks = new LockCalls(commands);
    this.queries =
        new CachedQueries(cache, query -> calls.answer(commands.request().setQuery(query)));
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
    if (!inode.open()) {
      return attributes(commands.send(Operations.create(inode), inode.parent()));
    }
    return attributes(
        commands.sendAsMember(node -> Operations.createOpen(inode, node), inode.parent()));
  }

  @Override
  public Attributes link(InodeId inode, InodeId parent, Name name) {
    return attributes(commands.send(Operations.link(inode, parent, name), inode, parent));
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
    Operation.Builder remove = Operations.remove(parent, name, directory);
    return removal(commands.send(remove, parent, queries.child(parent, name)));
  }

  @Override
  public Removal rename(
      InodeId oldParent, Name oldName, InodeId newParent, Name newName, int flags) {
    return removal(
        commands.send(
            Operations.rename(oldParent, oldName, newParent, newName, flags),
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
    return attributes(commands.send(Operations.setAttributes(inode, change), inode));
  }

  @Override
  public Attributes open(InodeId inode, boolean write) {
    return attributes(
        commands.sendAsMember(node -> Operations.open(inode, node, write), write ? inode : null));
  }

  @Override
  public boolean closeWrite(InodeId inode, @Nullable RegionStat stat) {
    Operation.Builder close = Operations.closeWrite(inode, commands.self(), stat);
    return !commands.send(close, inode).getAttributes().getAtHome();
  }

  @Override
  public Closed close(InodeId inode, @Nullable RegionStat stat, @Nullable Instant readAt) {
    // If it changes what is not expected here, it is recalled.
    boolean changes = stat != null || (readAt != null && queries.movesAccessTime(inode, readAt));
    Operation.Builder close = Operations.close(inode, commands.self(), stat, readAt);
    Reply reply = commands.send(close, changes ? inode : null);
    return new Closed(removal(reply), reply.getRemoval().getAtHome());
  }

  @Override
  public List<Removal> closeAll(List<Closing> closings) {
    InodeId[] changed =
        closings.stream().filter(this::movesAccessTime).map(Closing::inode).toArray(InodeId[]::new);
    Reply reply = commands.send(Operations.closeFiles(closings, commands.self()), changed);
    return reply.getRemovals().getRemovalsList().stream().map(Messages::removal).toList();
  }

  private boolean movesAccessTime(Closing closing) {
    Instant readAt = closing.readAt();
    return readAt != null && queries.movesAccessTime(closing.inode(), readAt);
  }

  @Override
  public void settle(InodeId inode, RegionStat stat) {
    commands.send(Operations.settle(inode, stat), inode);
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
    commands.send(Operations.setXattr(inode, name, value, flags), inode);
  }

  @Override
  public void removeXattr(InodeId inode, byte[] name) {
    commands.send(Operations.removeXattr(inode, name), inode);
  }

  @Override
  public void lock(InodeId inode, Lock lock, boolean wait, boolean held) {
    locks.lock(inode, lock, wait, held);
  }

  @Override
  public void unlock(InodeId inode, Lock lock) {
    locks.unlock(inode, lock);
  }

  @Override
  public void endLocks(InodeId inode, long owner, boolean flock) {
    locks.end(inode, owner, flock);
  }

  @Override
  public @Nullable Lock conflicting(InodeId inode, Lock lock) {
    Query.Builder query = Query.newBuilder().setConflictingLock(locks.message(inode, lock));
    return locks.conflicting(ask(query).getLock());
  }

  @Override
  public @Nullable Export export(InodeId inode) {
    List<Export> found = exports(ask(Query.newBuilder().setExportOf(inode.value())));
    return found.isEmpty() ? null : found.get(0);
  }

  @Override
  public List<Export> exports() {
    return exports(ask(Query.newBuilder().setExportsAt(commands.self().value())));
  }

  private static List<Export> exports(Reply reply) {
    return reply.getExports().getExportsList().stream().map(Messages::export).toList();
  }

  @Override
  public void setExporter(InodeId inode, @Nullable Exporter exporter) {
    commands.send(Operations.exportFile(inode, exporter), inode);
  }

  @Override
  public Removal endExport(InodeId inode) {
    return removal(commands.send(Operations.endExport(inode)));
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
        report.getUptimeSeconds(),
        report.getLocks());
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
    commands.close();
    locks.close();
    calls.close();
  }

  /** The node that opens and closes from now on. */
  void speakFor(NodeId node) {
    commands.speakFor(node);
  }

  /** The list of nodes has this version now; another than before means that it changed. */
  void nodesVersion(long version) {
    known.version(version);
  }

  void dropped(List<InodeId> inodes) {
    commands.send(Operations.dropped(inodes, commands.self()));
  }

  Calls calls() {
    return calls;
  }

  LockCalls locks() {
    return locks;
  }

  NodeCache cache() {
    return cache;
  }

  private Reply ask(Query.Builder query) {
    return calls.ask(commands.request().setQuery(query));
  }

  private static Attributes attributes(Reply reply) {
    return Messages.attributes(reply.getAttributes());
  }

  private static Removal removal(Reply reply) {
    return Messages.removal(reply.getRemoval());
  }
}
