package io.regionfs.daemon;

import io.regionfs.model.Errno;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import org.jspecify.annotations.Nullable;

/**
 * One listening port for all services of a process: calls to the home of regions, recalls of what
 * is cached, and metadata if it is kept here. A port listens before its services exist, because
 * they are told its number; a call that comes that early is refused so that it is repeated.
 */
final class Switchboard implements RpcHandler {
  private final boolean keepsMetadata;
  private volatile @Nullable RpcHandler metadata;
  private volatile @Nullable RpcHandler home;
  private volatile @Nullable RpcHandler recalls;

  /**
   * @param keepsMetadata a metadata service will be connected
   */
  Switchboard(boolean keepsMetadata) {
    this.keepsMetadata = keepsMetadata;
  }

  void connectMetadata(RpcHandler handler) {
    metadata = handler;
  }

  void connectCache(RpcHandler handler) {
    recalls = handler;
  }

  void connectHome(RpcHandler handler) {
    home = handler;
  }

  @Override
  public void handle(Request request, RpcResponder responder) {
    switch (request.getCallCase()) {
      case PING -> responder.reply(Reply.getDefaultInstance());
      case HOME -> pass(home, request, responder);
      case RECALL -> recall(request, responder);
      case QUERY, OPERATION, MEMBERSHIP, ADMINISTRATION -> {
        if (keepsMetadata) {
          pass(metadata, request, responder);
        } else {
          responder.reply(refusal(Errno.ENXIO, "no metadata service is at this address"));
        }
      }
      default -> responder.reply(refusal(Errno.EINVAL, "unknown kind of call"));
    }
  }

  /** A process that keeps nothing has forgotten it already. */
  private void recall(Request request, RpcResponder responder) {
    RpcHandler cache = recalls;
    if (cache == null) {
      responder.reply(Reply.getDefaultInstance());
    } else {
      cache.handle(request, responder);
    }
  }

  private static void pass(@Nullable RpcHandler service, Request request, RpcResponder responder) {
    if (service == null) {
      responder.reply(refusal(Errno.EAGAIN, "this process is starting"));
    } else {
      service.handle(request, responder);
    }
  }

  private static Reply refusal(Errno errno, String detail) {
    return Reply.newBuilder().setErrno(errno.code()).setDetail(detail).build();
  }
}
