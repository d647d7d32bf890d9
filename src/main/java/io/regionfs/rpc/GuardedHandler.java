package io.regionfs.rpc;

import io.regionfs.model.Errno;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What every transport puts around a handler, so that a fault of the handler is an answer and never
 * a silence: an exception becomes EIO, a reply that is too large EOVERFLOW, and of several replies
 * to one request the first counts. A ping is answered here: it asks whether the process is alive.
 */
public final class GuardedHandler implements RpcHandler {
  private static final Logger LOG = LoggerFactory.getLogger(GuardedHandler.class);

  private final RpcHandler handler;

  public GuardedHandler(RpcHandler handler) {
    this.handler = handler;
  }

  @Override
  @SuppressWarnings("CatchingUnchecked") // one funnel: whatever a handler does, its caller hears
  public void handle(Request request, RpcResponder responder) {
    if (request.hasPing()) {
      responder.reply(Reply.getDefaultInstance());
      return;
    }
    RpcResponder once = new OneReply(responder);
    try {
      handler.handle(request, once);
    } catch (Exception | LinkageError | StackOverflowError | AssertionError e) {
      LOG.error("handler failed on a {} request", request.getCallCase(), e);
      once.reply(error(Errno.EIO, "the peer failed on this request: " + e));
    }
  }

  private static Reply error(Errno errno, String detail) {
    return Reply.newBuilder().setErrno(errno.code()).setDetail(detail).build();
  }

  private static final class OneReply implements RpcResponder {
    private final RpcResponder target;
    private final AtomicBoolean replied = new AtomicBoolean();

    OneReply(RpcResponder target) {
      this.target = target;
    }

    @Override
    public void reply(Reply reply) {
      if (!replied.compareAndSet(false, true)) {
        LOG.error("a second reply to one request was dropped: {}", reply.getResultCase());
        return;
      }
      int bytes = reply.getSerializedSize();
      if (bytes > RpcTransport.MAX_MESSAGE_BYTES) {
        LOG.error("a {} reply of {} bytes is too large to send", reply.getResultCase(), bytes);
        target.reply(error(Errno.EOVERFLOW, "the reply has " + bytes + " bytes"));
      } else {
        target.reply(reply);
      }
    }
  }
}
