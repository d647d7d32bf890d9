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
 * @param sharing clients of a server that share a completion queue: bounds its size
 */
public record DarpcOptions(
    int depth,
    Duration connectTimeout,
    Duration silence,
    Duration idle,
    int maxConnections,
    int sharing) {
  private static final int SHARING = 64;

  public DarpcOptions {
    if (depth < 2 || depth > 1024) {
      throw new IllegalArgumentException("depth must be in 2..1024: " + depth);
    }
    if (maxConnections < 1 || sharing < 1) {
      throw new IllegalArgumentException(
          "maxConnections and sharing must be positive: " + maxConnections + ", " + sharing);
    }
    if (connectTimeout.toMillis() < 1 || silence.toMillis() < 60 || idle.toMillis() < 1) {
      throw new IllegalArgumentException(
          "times too short: " + connectTimeout + ", " + silence + ", " + idle);
    }
  }

  public DarpcOptions(
      int depth, Duration connectTimeout, Duration silence, Duration idle, int maxConnections) {
    this(depth, connectTimeout, silence, idle, maxConnections, SHARING);
  }

  /** Completions that one connection can have at a time: sends, receives, and a little more. */
  int completions() {
    return completions(depth);
  }

  private static int completions(int depth) {
    return 2 * depth + 2;
  }

  /**
   * The same for a device with smaller queues.
   *
   * @param workRequests most in one queue
   * @param completionEntries most in one completion queue
   * @throws IllegalArgumentException if they are too small for any call
   */
  public DarpcOptions within(int workRequests, int completionEntries) {
    int narrow = Math.min(depth, Math.min(workRequests, completionEntries / 2 - 1));
    return new DarpcOptions(
        narrow,
        connectTimeout,
        silence,
        idle,
        maxConnections,
        Math.max(1, Math.min(sharing, completionEntries / completions(narrow))));
  }

  public static DarpcOptions defaults() {
    return new DarpcOptions(
        16, Duration.ofSeconds(5), Duration.ofSeconds(3), Duration.ofMinutes(5), 256);
  }
}
