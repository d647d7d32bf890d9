package io.regionfs.rpc;

import io.regionfs.proto.Reply;

/** Where the reply to one request goes. */
@FunctionalInterface
public interface RpcResponder {
  /**
   * Sends the reply; dropped silently if the caller is gone. Never blocks for long, never throws.
   */
  void reply(Reply reply);
}
