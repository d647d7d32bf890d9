package io.regionfs.metaserver;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A node in the eyes of the leader: until when it may answer from its cache, and what it was asked
 * to forget and has not said that it did. Times are nanoseconds of the leases' clock. Guarded by
 * the monitor of {@link Ledger}.
 */
final class Holder {
  /** Inodes named in one recall, within a message. */
  static final int MOST_AT_ONCE = 2000;

  private final int number;
  private final int node;

  /** In order of their age; those at the front are being sent. */
  private final Deque<Debt> owed = new ArrayDeque<>();

  private int sending;

  /** Waits until it has forgotten what it was granted in earlier terms. */
  private @Nullable Hold earlierTerms;

  private long earlierTermsEnd;
  private boolean sendingAll;
  private volatile long cacheEnd;
  private long owesSince;
  private boolean beingCalled;
  private boolean ended;

  /** An inode to forget, and the hold that waits for it: null once it has stopped to wait. */
  private static final class Debt {
    private final long inode;
    private @Nullable Hold hold;

    Debt(long inode, @Nullable Hold hold) {
      this.inode = inode;
      this.hold = hold;
    }
  }

  /**
   * @param number tells it from the same node before its membership ended
   */
  Holder(int number, int node, long cacheEnd) {
    this.number = number;
    this.node = node;
    this.cacheEnd = cacheEnd;
  }

  int number() {
    return number;
  }

  int node() {
    return node;
  }

  /** After this it reads nothing from its cache, unless its lease was extended. */
  boolean isOver(long now) {
    return cacheEnd <= now;
  }

  void extendTo(long end) {
    cacheEnd = Math.max(cacheEnd, end);
  }

  /** The node is no member any more: it is granted nothing, and never extended. */
  void end() {
    ended = true;
  }

  /** The node says itself that it is gone, and its cache with it. */
  void leave() {
    cacheEnd = Long.MIN_VALUE;
  }

  boolean isEnded() {
    return ended;
  }

  /** It has owed something since before this instant. */
  boolean owesSinceBefore(long instant) {
    return !owed.isEmpty() && owesSince < instant;
  }

  /** Has to forget the inode. If it can still read what it has cached, the hold waits for it. */
  void owe(long inode, Hold hold, long now) {
    if (owed.isEmpty()) {
      owesSince = now;
    }
    if (isOver(now)) {
      owed.addLast(new Debt(inode, null));
    } else {
      hold.waitForNode();
      owed.addLast(new Debt(inode, hold));
    }
  }

  /** Has to forget everything of earlier terms, which ends at the given time by itself. */
  void oweEarlierTerms(Hold hold, long end) {
    hold.waitForNode();
    earlierTerms = hold;
    earlierTermsEnd = end;
  }

  /** Marks it as being called; false if it is already, or owes nothing. */
  boolean startCalling() {
    if (beingCalled || !owes()) {
      return false;
    }
    beingCalled = true;
    return true;
  }

  void stopCalling() {
    beingCalled = false;
  }

  boolean owes() {
    return earlierTerms != null || !owed.isEmpty();
  }

  /** What the next recall names; empty: everything of earlier terms. */
  List<Long> nextRecall() {
    sendingAll = earlierTerms != null;
    if (sendingAll) {
      return List.of();
    }
    sending = Math.min(owed.size(), MOST_AT_ONCE);
    return owed.stream().limit(sending).map(debt -> debt.inode).distinct().toList();
  }

  /** The last recall was answered; returns the holds that waited for it, one for each debt. */
  List<Hold> answered(long now) {
    if (sendingAll) {
      return forgotEarlierTerms();
    }
    List<Hold> waiting = new ArrayList<>();
    for (int i = 0; i < sending; i++) {
      Hold hold = owed.removeFirst().hold;
      if (hold != null) {
        waiting.add(hold);
      }
    }
    sending = 0;
    owesSince = now;
    return waiting;
  }

  /** Also known from its joining in this term, as it brings nothing along. */
  List<Hold> forgotEarlierTerms() {
    Hold waiting = earlierTerms;
    earlierTerms = null;
    return waiting == null ? List.of() : List.of(waiting);
  }

  /** The holds that need not wait for it any longer, one for each debt; the debts of it remain. */
  List<Hold> stopWaiting(long now) {
    List<Hold> waiting = new ArrayList<>();
    if (earlierTerms != null && earlierTermsEnd <= now) {
      waiting.addAll(forgotEarlierTerms());
    }
    if (isOver(now)) {
      owed.stream().map(debt -> debt.hold).filter(Objects::nonNull).forEach(waiting::add);
      owed.forEach(debt -> debt.hold = null);
    }
    return waiting;
  }
}
