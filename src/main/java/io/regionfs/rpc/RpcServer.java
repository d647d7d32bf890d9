package io.regionfs.rpc;

import java.net.InetSocketAddress;

/** A listening endpoint; closing it ends its connections. */
public interface RpcServer extends AutoCloseable {
  /** Where it listens, with the port that was chosen if 0 was asked for. */
  InetSocketAddress address();

  @Override
  void close();
}
