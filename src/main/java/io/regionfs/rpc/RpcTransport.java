package io.regionfs.rpc;

import com.google.errorprone.annotations.MustBeClosed;
import java.io.IOException;
import java.net.InetSocketAddress;

/** A way for processes to call each other. */
public interface RpcTransport extends AutoCloseable {
  /** Largest serialised request or reply in bytes, envelope included. */
  int MAX_MESSAGE_BYTES = 32 << 10;

  /** Calls to the peer at this address; nothing is connected yet. */
  @MustBeClosed
  RpcClient client(InetSocketAddress peer);

  /** Starts to answer requests at this address; port 0 takes a free one. */
  @MustBeClosed
  RpcServer serve(InetSocketAddress listen, RpcHandler handler) throws IOException;

  /** Closes the clients and servers that are still open. */
  @Override
  void close();
}
