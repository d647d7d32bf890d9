package io.regionfs.metaserver.state;

import io.regionfs.meta.Messages;
import io.regionfs.model.Errno;
import io.regionfs.proto.Command;
import io.regionfs.proto.Dropped;
import io.regionfs.proto.JoinReply;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.RemoveXattr;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SetAttributes;
import io.regionfs.proto.SetXattr;

/**
 * The metadata as a pure state machine: names, inodes, opens, members, and the answers that may be
 * asked for again. It reads no clock, draws no random number and never waits, so the same commands
 * in the same order give the same state and the same replies everywhere. Not safe for use by
 * several threads; see {@link Replica}.
 */
public final class Namespace {
  private final Inodes inodes = new Inodes();
  private final Nodes nodes = new Nodes();
  private final Answers answers = new Answers();
  private final Sessions sessions = new Sessions(inodes, nodes);
  private final Names names = new Names(inodes, sessions);
  private final Renames renames = new Renames(inodes, names);
  private final Queries queries = new Queries(inodes);
  private final Changes changes = new Changes();
  private long lastStamp;
  private long commands;

  /** Applies one command, unless its client's sequence number shows that it was applied before. */
  public Reply apply(Command command) {
    changes.clear();
    boolean repeatable = command.getClientId() != 0;
    if (repeatable) {
      Reply answer = answers.repeated(command);
      if (answer != null) {
        return answer;
      }
    }
    commands++;
    lastStamp = Math.max(lastStamp + 1, Messages.nanos(command.getStamp()));
    Reply reply;
    try {
      reply = run(command.getOperation(), command.getNewInode());
    } catch (Refusal refusal) {
      reply = Replies.of(refusal);
    }
    if (repeatable) {
      answers.keep(command, reply, lastStamp);
    }
    return reply;
  }

  private Reply run(Operation operation, long newInode) {
    long now = lastStamp;
    return switch (operation.getOperationCase()) {
      case CREATE -> names.create(operation.getCreate(), newInode, now);
      case LINK -> names.link(operation.getLink(), now);
      case REMOVE -> names.remove(operation.getRemove(), now);
      case RENAME -> renames.rename(operation.getRename(), now);
      case SET_ATTRIBUTES -> setAttributes(operation.getSetAttributes(), now);
      case OPEN -> sessions.open(operation.getOpen());
      case CLOSE -> sessions.close(operation.getClose());
      case SET_XATTR -> setXattr(operation.getSetXattr(), now);
      case REMOVE_XATTR -> removeXattr(operation.getRemoveXattr(), now);
      case ADD_NODE -> addNode(operation);
      case EXPIRE_NODE -> expireNode(operation.getExpireNode().getNode());
      case DROPPED -> dropped(operation.getDropped());
      case SETTLE -> sessions.settle(operation.getSettle());
      case OPEN_SESSION, END_SESSIONS, FOUND, ADD_REPLICA, OPERATION_NOT_SET ->
          Replies.refusal(Errno.EINVAL, "unknown operation");
    };
  }

  private Reply setAttributes(SetAttributes change, long now) {
    Inode inode = inodes.get(change.getInode());
    inode.change(change, now);
    return Replies.attributes(inode);
  }

  private Reply setXattr(SetXattr set, long now) {
    Inode inode = inodes.get(set.getInode());
    Xattrs xattrs = inode.xattrs == null ? new Xattrs() : inode.xattrs;
    xattrs.set(set.getName(), set.getValue(), set.getFlags());
    inode.xattrs = xattrs;
    inode.ctime = now;
    return Replies.DONE;
  }

  private Reply removeXattr(RemoveXattr remove, long now) {
    Inode inode = inodes.get(remove.getInode());
    if (inode.xattrs == null) {
      throw new Refusal(Errno.ENODATA, "no such attribute");
    }
    inode.xattrs.remove(remove.getName());
    inode.ctime = now;
    return Replies.DONE;
  }

  /** A node that joins has nothing open: what it had open before it restarted ends here. */
  private Reply addNode(Operation operation) {
    Nodes.Member member = nodes.add(operation.getAddNode());
    sessions.endAll(member.id());
    return Reply.newBuilder().setJoined(JoinReply.newBuilder().setNode(member.id())).build();
  }

  private Reply expireNode(int node) {
    nodes.expire(node);
    sessions.endAll(node);
    return Replies.DONE;
  }

  private Reply dropped(Dropped dropped) {
    inodes.dropped(dropped.getNode(), dropped.getInodesList());
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

  /** A checksum of the whole state, the same on every replica that applied the same commands. */
  public long fingerprint() {
    Fingerprint print = new Fingerprint().add(lastStamp).add(commands);
    inodes.addTo(print);
    nodes.addTo(print);
    answers.addTo(print);
    return print.value();
  }

  /** The largest inode number given so far. */
  public long lastInode() {
    return inodes.lastId();
  }

  /** What the last command changed; valid until the next one. */
  public Changes changes() {
    return changes;
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
