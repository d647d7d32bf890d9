package io.regionfs.rpc;

import io.regionfs.proto.Request;

/** The serving side of calls. */
public interface RpcHandler {
  /**
   * Answers a request through the responder, now or later, from any thread, exactly once. Runs in a
   * thread of the transport: it must not block and must not throw; what takes long goes to an
   * executor of the handler's own. Pings are answered before they come here.
   */
  void handle(Request request, RpcResponder responder);
}
