package io.regionfs.rpc.darpc;

import java.time.Duration;

/**
 * How connections are sized and watched.
 *
 * @param depth calls in flight per connection; each side keeps twice as many buffers of {@link
 *     io.regionfs.rpc.RpcTransport#MAX_MESSAGE_BYTES}, so 16 cost about 1 MiB per connection
 * @param connectTimeout for making a connection
 * @param silence a peer that says nothing for so long, pings included, is taken for dead; a server
 *     gives its clients twice as long
 * @param idle a client's connection without calls for so long is let go; the next call connects
 * @param maxConnections clients that a server keeps at once; more are refused
 */
public record DarpcOptions(
    int depth, Duration connectTimeout, Duration silence, Duration idle, int maxConnections) {
  public DarpcOptions {
    if (depth < 2 || depth > 1024) {
      throw new IllegalArgumentException("depth must be in 2..1024: " + depth);
    }
    if (maxConnections < 1) {
      throw new IllegalArgumentException("maxConnections must be positive: " + maxConnections);
    }
    if (connectTimeout.toMillis() < 1 || silence.toMillis() < 60 || idle.toMillis() < 1) {
      throw new IllegalArgumentException(
          "times too short: " + connectTimeout + ", " + silence + ", " + idle);
    }
  }

  public static DarpcOptions defaults() {
    return new DarpcOptions(
        16, Duration.ofSeconds(5), Duration.ofSeconds(3), Duration.ofMinutes(5), 256);
  }
}
