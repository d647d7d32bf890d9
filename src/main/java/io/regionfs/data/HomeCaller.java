package io.regionfs.data;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.NodeId;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.HomeReply;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Calls to homes, numbered so that a home can tell a retry from a new call. A refusal is an
 * FsException with the home's errno.
 */
final class HomeCaller {
  private final Homes homes;
  private final long clientId = new SecureRandom().nextLong();

  @GuardedBy("this")
  private long lastSequence;

  @GuardedBy("this")
  private final TreeSet<Long> outstanding = new TreeSet<>();

  HomeCaller(Homes homes) {
    this.homes = homes;
  }

  /** Calls once, as part of an attempt that will call anew if it is repeated. */
  HomeReply once(Link link, HomeCall call, Duration deadline)
      throws RpcException, InterruptedException {
    long sequence = begin();
    try {
      return granted(link.client().call(request(sequence, call), deadline));
    } finally {
      end(sequence);
    }
  }

  /** Calls until there is an answer; the home carries the call out once. */
  HomeReply untilAnswered(NodeId home, HomeCall call, Duration deadline) {
    return granted(reply(home, call, deadline, false));
  }

  /** The same; that the home has no time, EAGAIN, is an answer too. */
  Reply replyOf(NodeId home, HomeCall call, Duration deadline) {
    return reply(home, call, deadline, true);
  }

  private Reply reply(NodeId home, HomeCall call, Duration deadline, boolean againIsAnAnswer) {
    NumberedCall numbered = new NumberedCall(call, deadline, againIsAnAnswer);
    try {
      return homes.untilDone(home, numbered);
    } finally {
      numbered.end();
    }
  }

  /** Keeps its number through retries, until the home says that it did not carry it out. */
  private final class NumberedCall implements Homes.Attempt<Reply> {
    private final HomeCall call;
    private final Duration deadline;
    private final boolean againIsAnAnswer;
    private @Nullable Request request;

    NumberedCall(HomeCall call, Duration deadline, boolean againIsAnAnswer) {
      this.call = call;
      this.deadline = deadline;
      this.againIsAnAnswer = againIsAnAnswer;
    }

    @Override
    public Reply with(Link link) throws RpcException, InterruptedException {
      Request numbered = request;
      if (numbered == null) {
        numbered = request(begin(), call);
        request = numbered;
      }
      Reply reply = link.client().call(numbered, deadline);
      if (reply.getErrno() == Errno.EAGAIN.code() && !againIsAnAnswer) {
        end();
        granted(reply);
      }
      return reply;
    }

    void end() {
      Request numbered = request;
      if (numbered != null) {
        HomeCaller.this.end(numbered.getSequence());
        request = null;
      }
    }
  }

  static HomeReply granted(Reply reply) {
    if (reply.getErrno() != 0) {
      throw new FsException(Errno.of(reply.getErrno()), reply.getDetail());
    }
    return reply.getHome();
  }

  private Request request(long sequence, HomeCall call) {
    return Request.newBuilder()
        .setClientId(clientId)
        .setSequence(sequence)
        .setAcknowledged(acknowledged())
        .setHome(call)
        .build();
  }

  private synchronized long begin() {
    long sequence = ++lastSequence;
    outstanding.add(sequence);
    return sequence;
  }

  private synchronized void end(long sequence) {
    outstanding.remove(sequence);
  }

  private synchronized long acknowledged() {
    return outstanding.isEmpty() ? lastSequence : outstanding.first() - 1;
  }
}
