package io.regionfs.verbs;

import java.net.InetSocketAddress;

/**
 * Accepts connections whose peers reach this fabric's remotely accessible memory; nothing else
 * happens on this side.
 */
public interface FabricListener extends AutoCloseable {
  /** Where it listens, with the port that was chosen if 0 was asked for. */
  InetSocketAddress address();

  /** Connections accepted and not yet ended. */
  int connections();

  /** As {@link #connections}, without those that its own fabric made. */
  int connectionsFromOthers();

  @Override
  void close();
}
