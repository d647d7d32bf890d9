package io.regionfs.rpc.darpc;

import java.util.HashMap;
import java.util.Map;

/**
 * Replies still to come to calls that were given up. The peer takes in so many requests without
 * having answered them, and gives no more receive buffers then; on iWARP a message that finds none
 * ends the connection. So a call that is given up makes way for another as long as there are fewer,
 * and beyond that only when its reply is there.
 */
final class LateReplies {
  private final Map<Integer, PendingCall> pending;
  private final int bound;

  /** By ticket, whether the call still has its place among those in flight. Guarded by this. */
  private final Map<Integer, Boolean> expected = new HashMap<>();

  /**
   * @param pending calls by ticket, from which whoever takes in a reply removes its call
   */
  LateReplies(Map<Integer, PendingCall> pending, int bound) {
    this.pending = pending;
    this.bound = bound;
  }

  /** Ends a call without a reply; returns whether its place is free. */
  synchronized boolean giveUp(PendingCall call) {
    if (!pending.remove(call.ticket(), call)) {
      return true; // its reply came at the last moment
    }
    boolean keepsPlace = expected.size() >= bound;
    expected.put(call.ticket(), keepsPlace);
    return !keepsPlace;
  }

  /** A reply has come that nobody waits for; returns whether a place becomes free by it. */
  synchronized boolean arrived(int ticket) {
    return Boolean.TRUE.equals(expected.remove(ticket));
  }
}
