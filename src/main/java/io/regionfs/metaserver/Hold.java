package io.regionfs.metaserver;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A change that was applied but must not be seen yet, as a node may still read from its cache what
 * was before. Its reply waits for it, and so do questions about its inodes and the changes that
 * build on it. Guarded by the monitor of {@link Ledger}, except for the future.
 */
final class Hold {
  /** Completes when nobody can read the old state any more; fails when the term ends first. */
  private final CompletableFuture<Void> done = new CompletableFuture<>();

  private final List<Long> inodes;
  private final List<Hold> followers = new ArrayList<>(1);

  /** Nodes that have not forgotten, and holds that this one builds on. */
  private int waits;

  Hold(List<Long> inodes) {
    this.inodes = inodes;
  }

  List<Long> inodes() {
    return inodes;
  }

  CompletableFuture<Void> done() {
    return done;
  }

  boolean isWaiting() {
    return waits > 0;
  }

  void waitForNode() {
    waits++;
  }

  /** Ends after the earlier one. All calls for one hold come before any for the next. */
  void follow(Hold earlier) {
    int last = earlier.followers.size() - 1;
    if (last < 0 || earlier.followers.get(last) != this) {
      earlier.followers.add(this);
      waits++;
    }
  }

  /** One of those waited for has ended; true if it was the last. */
  boolean release() {
    waits--;
    return waits == 0;
  }

  List<Hold> followers() {
    return followers;
  }
}
