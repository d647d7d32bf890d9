package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;

/**
 * Connections that ended with work in flight, until their peer has been told. What such a
 * connection had sent may still lie in a socket buffer or in the network and reach the peer's
 * memory at any later time; so the next connection tells the peer to destroy that queue pair first.
 */
final class Fences {
  private final long fabric = new SecureRandom().nextLong();

  @GuardedBy("this")
  private long lastNumber;

  @GuardedBy("this")
  private final Map<InetSocketAddress, TreeSet<Long>> ended = new HashMap<>();

  synchronized Introduction introduce(InetSocketAddress peer) {
    TreeSet<Long> numbers = ended.getOrDefault(peer, new TreeSet<>());
    long[] listed = numbers.stream().mapToLong(Long::longValue).toArray();
    return new Introduction(fabric, ++lastNumber, listed, listed.length > Introduction.MAX_ENDED);
  }

  /** Whether a connection request comes from this very fabric. */
  boolean made(Introduction introduction) {
    return introduction.fabric() == fabric;
  }

  synchronized void endedInFlight(InetSocketAddress peer, long number) {
    ended.computeIfAbsent(peer, address -> new TreeSet<>()).add(number);
  }

  /** The peer has accepted the connection, and so has dropped those before. */
  synchronized void told(InetSocketAddress peer, Introduction introduction) {
    TreeSet<Long> numbers = ended.get(peer);
    if (numbers != null) {
      for (long one : introduction.ended()) {
        numbers.remove(one);
      }
      if (numbers.isEmpty()) {
        ended.remove(peer);
      }
    }
  }
}
