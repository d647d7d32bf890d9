package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Messages;
import io.regionfs.model.Errno;
import io.regionfs.model.InodeId;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.AddReplica;
import io.regionfs.proto.Command;
import io.regionfs.proto.Dropped;
import io.regionfs.proto.EndSessions;
import io.regionfs.proto.Found;
import io.regionfs.proto.JoinReply;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SnapshotHeader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The metadata as a pure state machine: names, inodes, opens, members, and the answers that may be
 * asked for again. It reads no clock, draws no random number and never waits, so the same commands
 * in the same order give the same state and the same replies everywhere. Not safe for use by
 * several threads; see {@link Replica}.
 */
public final class Namespace {
  private static final Reply NO_SESSION =
      Replies.refusal(Errno.ESTALE, "the client has no session, or its session was ended")
          .toBuilder()
          .setNoSession(true)
          .build();

  private final Mutations mutations = new Mutations();
  private final Inodes inodes = new Inodes(mutations);
  private final Nodes nodes = new Nodes(inodes);
  private final LockCommands locks = new LockCommands(inodes, nodes, mutations);
  private final Answers answers = new Answers();
  private final ExportCommands exports = new ExportCommands(inodes, nodes, mutations);
  private final Sessions sessions = new Sessions(inodes, nodes, locks, exports);
  private final InodeCommands inodeCommands = new InodeCommands(inodes);
  private final Names names = new Names(inodes, nodes, sessions, inodeCommands);
  private final Renames renames = new Renames(inodes);
  private final Queries queries = new Queries(inodes, locks, exports);
  private final Cluster cluster = new Cluster();
  private long lastStamp;
  private long commands;

  /** A new one: an empty root, in no cluster yet. */
  public Namespace() {
    this(true);
  }

  private Namespace(boolean withRoot) {
    if (withRoot) {
      inodes.addRoot();
      mutations.end();
    }
  }

  /** To be filled from a snapshot. */
  static Namespace withoutRoot() {
    return new Namespace(false);
  }

  void restore(SnapshotHeader header) {
    lastStamp = header.getLastStamp();
    commands = header.getCommands();
    inodes.setLastId(header.getLastInode());
    nodes.restore(header.getLastNode(), header.getNodesVersion());
    cluster.restore(header.getClusterId());
  }

  /** Applies one command, unless its client's sequence number shows that it was applied before. */
  public Reply apply(Command command) {
    mutations.begin();
    boolean repeatable = command.getClientId() != 0;
    if (repeatable) {
      Reply answer = answers.repeated(command.getClientId(), command.getSequence());
      if (answer != null) {
        return answer;
      }
      if (!answers.mayRun(command)) {
        return NO_SESSION;
      }
    }
    commands++;
    lastStamp = Math.max(lastStamp + 1, Messages.nanos(command.getStamp()));
    Reply reply;
    try {
      reply = run(command);
    } catch (Refusal refusal) {
      reply = Replies.of(refusal);
    }
    mutations.end();
    if (repeatable && !(command.getOperation().hasOpenSession() && reply.getErrno() != 0)) {
      answers.keep(command, reply, lastStamp);
    }
    return reply;
  }

  private Reply run(Command command) {
    Operation operation = command.getOperation();
    long now = lastStamp;
    return switch (operation.getOperationCase()) {
      case CREATE -> names.create(operation.getCreate(), command.getNewInode(), now);
      case LINK -> names.link(operation.getLink(), now);
      case REMOVE -> names.remove(operation.getRemove(), now);
      case RENAME -> renames.rename(operation.getRename(), now);
      case SET_ATTRIBUTES -> inodeCommands.setAttributes(operation.getSetAttributes(), now);
      case OPEN -> sessions.open(operation.getOpen());
      case CLOSE -> sessions.close(operation.getClose());
      case CLOSE_FILES -> sessions.close(operation.getCloseFiles());
      case LOCK, CANCEL_LOCK, END_LOCKS -> locks.run(operation);
      case EXPORT_FILE -> exports.export(operation.getExportFile());
      case END_EXPORT -> exports.end(operation.getEndExport(), now);
      case SET_XATTR -> inodeCommands.setXattr(operation.getSetXattr(), now);
      case REMOVE_XATTR -> inodeCommands.removeXattr(operation.getRemoveXattr(), now);
      case ADD_NODE -> addNode(operation.getAddNode(), now);
      case EXPIRE_NODE -> expireNode(operation.getExpireNode().getNode(), now);
      case DROPPED -> dropped(operation.getDropped());
      case SETTLE -> sessions.settle(operation.getSettle());
      case OPEN_SESSION -> openSession(command);
      case END_SESSIONS -> endSessions(operation.getEndSessions());
      case FOUND -> found(operation.getFound(), now);
      case ADD_REPLICA -> addReplica(operation.getAddReplica());
      case OPERATION_NOT_SET -> Replies.refusal(Errno.EINVAL, "unknown operation");
    };
  }

  /** A node that joins has nothing open: what it had open before it restarted ends here. */
  private Reply addNode(AddNode node, long now) {
    Nodes.Member member = nodes.add(node, now);
    sessions.endAll(member.id());
    return Reply.newBuilder().setJoined(JoinReply.newBuilder().setNode(member.id())).build();
  }

  private Reply expireNode(int node, long now) {
    nodes.expire(node, now);
    sessions.endAll(node);
    exports.endAll(node, now);
    return Replies.DONE;
  }

  private Reply dropped(Dropped dropped) {
    inodes.dropped(dropped.getNode(), dropped.getInodesList());
    return Replies.DONE;
  }

  /** Its reply's value is the cluster's id. */
  private Reply openSession(Command command) {
    if (command.getClientId() == 0) {
      throw new Refusal(Errno.EINVAL, "a session needs the id of its client");
    }
    cluster.check(command.getOperation().getOpenSession().getClusterId());
    return clusterIdReply();
  }

  private Reply endSessions(EndSessions end) {
    answers.end(end.getClientsList());
    return Replies.DONE;
  }

  /** The first one wins; to all the reply's value is the cluster's id. */
  private Reply found(Found found, long now) {
    if (!cluster.isFounded()) {
      cluster.found(found.getClusterId());
      Inode root = inodes.get(InodeId.ROOT.value());
      inodes.touch(root);
      root.found(found.getUid(), found.getGid(), now);
    }
    return clusterIdReply();
  }

  private Reply clusterIdReply() {
    return Reply.newBuilder().setValue(ByteString.copyFromUtf8(cluster.id())).build();
  }

  private Reply addReplica(AddReplica replica) {
    cluster.add(replica);
    return Replies.DONE;
  }

  /** Answers a question about names and inodes. */
  public Reply query(Query query) {
    try {
      return queries.answer(query);
    } catch (Refusal refusal) {
      return Replies.of(refusal);
    }
  }

  /**
   * Files whose home knows them better though nobody writes them any more.
   *
   * @param from the first inode to look at
   * @param count how many numbers to look at
   */
  public List<Unsettled> unsettled(long from, int count) {
    List<Unsettled> found = new ArrayList<>();
    for (long id = from; id < from + count; id++) {
      Inode inode = inodes.find(id);
      if (inode != null && inode.isAtHome() && !(inode.opens != null && inode.opens.isWritten())) {
        found.add(new Unsettled(id, inode.home));
      }
    }
    return found;
  }

  /** A file and its home. */
  public record Unsettled(long inode, int home) {}

  /** The inode exists, and what is known of it here is not known better by its home. */
  public boolean isSettled(long id) {
    Inode inode = inodes.find(id);
    return inode != null && !inode.isAtHome();
  }

  /**
   * A checksum of the whole state, the same on every replica that applied the same commands. Takes
   * no longer with more inodes.
   */
  public long fingerprint() {
    Fingerprint print = new Fingerprint().add(lastStamp).add(commands).add(inodes.lastId());
    print.add(inodes.count()).add(mutations.sum());
    nodes.addTo(print);
    answers.addTo(print);
    cluster.addTo(print);
    inodes.exports().addTo(print);
    return print.value();
  }

  /** The largest inode number given so far. */
  public long lastInode() {
    return inodes.lastId();
  }

  /** The time of the last command, in nanoseconds since 1970; later ones get later times. */
  public long lastStamp() {
    return lastStamp;
  }

  /** Empty until the cluster was founded. */
  public String clusterId() {
    return cluster.id();
  }

  /** The disk with which the replica of the metadata service first took part; 0: none did. */
  public long knownDisk(int replica) {
    return cluster.disk(replica);
  }

  /** The clients that have a session. */
  public List<Long> clients() {
    return answers.clients();
  }

  /** The time of the client's last command, in nanoseconds since 1970; 0: no session. */
  public long lastHeard(long clientId) {
    return answers.lastHeard(clientId);
  }

  /**
   * What applying this command again would answer, if it was applied; null if it was not. Changes
   * nothing.
   */
  public @Nullable Reply answered(long clientId, long sequence) {
    return answers.repeated(clientId, sequence);
  }

  /** What the last command changed; valid until the next one. */
  public Changes changes() {
    return mutations.changes();
  }

  Mutations mutations() {
    return mutations;
  }

  public LockCommands locks() {
    return locks;
  }

  Answers answers() {
    return answers;
  }

  Cluster cluster() {
    return cluster;
  }

  public Inodes inodes() {
    return inodes;
  }

  public Nodes nodes() {
    return nodes;
  }

  /** Commands applied so far, repetitions not counted. */
  public long commands() {
    return commands;
  }
}
