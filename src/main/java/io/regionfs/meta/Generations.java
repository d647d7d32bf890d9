package io.regionfs.meta;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What an answer has to be younger than to be kept: when which inode was forgotten last, and which
 * are being changed by commands of this node. Inodes share stripes, so an answer may be refused for
 * another's sake. Lock-free.
 */
final class Generations {
  private static final int STRIPES = 1 << 13;

  /** Ticks with every inode that is forgotten. */
  private final AtomicLong clock = new AtomicLong();

  /** By stripe of inodes: when one of them was forgotten last. */
  private final AtomicLongArray forgottenAt = new AtomicLongArray(STRIPES);

  /** By stripe of inodes: commands of this node under way that touch one of them. */
  private final AtomicIntegerArray changing = new AtomicIntegerArray(STRIPES);

  /** The present generation, for a question that is about to be sent. */
  long now() {
    return clock.get();
  }

  /**
   * Whether an answer may be kept, if the inode is not {@link #forgotten} meanwhile.
   *
   * @param asked {@link #now} before the question was sent
   */
  boolean mayFill(long inode, long asked) {
    int stripe = stripe(inode);
    return forgottenAt.get(stripe) <= asked && changing.get(stripe) == 0;
  }

  /** Answers to what was asked until now are outdated. */
  void forgotten(long inode) {
    forgottenAt.accumulateAndGet(stripe(inode), clock.incrementAndGet(), Math::max);
  }

  /** A command that touches the inode is about to be sent; {@link #changed} follows. */
  void change(long inode) {
    changing.incrementAndGet(stripe(inode));
  }

  /** The command has ended, or its outcome is not waited for any more. */
  void changed(long inode) {
    changing.decrementAndGet(stripe(inode));
  }

  private static int stripe(long inode) {
    return (int) ((inode * 0x9E3779B97F4A7C15L) >>> 51); // 13 bits
  }
}
