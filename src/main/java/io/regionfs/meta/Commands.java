package io.regionfs.meta;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Sends the commands of one client, in the name of the node that it speaks for: what they touch is
 * forgotten by the node's cache before they are sent, and again when they have ended. Safe for use
 * by many threads.
 */
final class Commands {
  private static final long REJOIN_PAUSE_MILLIS = 100;

  private final Calls calls;
  private final NodeCache cache;
  private volatile NodeId self = NodeId.NONE;
  private volatile boolean closed;

  /** An operation in the name of a node. */
  interface NodeOperation {
    Operation.Builder of(NodeId node);
  }

  Commands(Calls calls, NodeCache cache) {
    this.calls = calls;
    this.cache = cache;
  }

  /** The node that opens and closes from now on. */
  void speakFor(NodeId node) {
    self = node;
  }

  NodeId self() {
    return self;
  }

  /** Nobody waits any more for a node to join again. */
  void close() {
    closed = true;
  }

  /**
   * @param touched the inodes that it may change, as far as they are known here
   */
  Reply send(Operation.Builder operation, @Nullable InodeId... touched) {
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

  /** A request of the node that this speaks for. */
  Request.Builder request() {
    return Request.newBuilder().setNode(self.value());
  }

  /**
   * Sends what only a member may ask for; ENOTCONN if this speaks for no node.
   *
   * <p>A node whose lease has run out is refused with ESTALE; its membership notices that within a
   * renewal and joins again, and only then it can open anything.
   */
  Reply sendAsMember(NodeOperation operation, @Nullable InodeId touched) {
    while (true) {
      if (self.equals(NodeId.NONE)) {
        throw new FsException(Errno.ENOTCONN, "not a member of a cluster");
      }
      try {
        return send(operation.of(self), touched);
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
