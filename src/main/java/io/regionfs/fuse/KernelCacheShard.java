package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.Arrays;

/**
 * What the kernel may keep of some inodes, until when. What has run out is forgotten, so this is as
 * large as the number of inodes that were asked for within a lease, up to a limit; beyond it the
 * kernel may keep nothing. Times are those of {@link System#nanoTime}.
 *
 * <p>Notices are sent under the lock: whoever finds an inode forgotten may rely on the kernel
 * having been told.
 */
final class KernelCacheShard {
  private static final long BUSY = Duration.ofSeconds(1).toNanos();
  private static final long PAUSE = Duration.ofMillis(100).toNanos();
  private static final int FIRST_SLOTS = 64;
  private static final int MOST_SLOTS = 1 << 15;
  private static final int FULL = -1;
  private static final long SPREAD = 0xC2B2AE3D27D4EB4FL; // an odd number with mixed bits

  private static final int ATTRIBUTES_UNTIL = 0;
  private static final int NAMES_UNTIL = 1;

  /** The point in time of {@link Notices#now} when names were given last. */
  private static final int NAMES_GIVEN = 2;

  /** Names changed lately: they are not given before that time. */
  private static final int BUSY_UNTIL = 3;

  /** Whether the kernel may have ACLs, for which there is no time limit. */
  private static final int ACLS = 4;

  private static final int FIELDS = 5;

  private final Notices notices;

  /** Counts what was forgotten, of any inode: a mark that is too strict does no harm. */
  private volatile int forgets;

  /** 0: a free slot; the kernel numbers inodes from 1. */
  @GuardedBy("this")
  private long[] inodes = new long[FIRST_SLOTS];

  /** For each slot {@link #FIELDS} numbers. */
  @GuardedBy("this")
  private long[] fields = new long[FIRST_SLOTS * FIELDS];

  @GuardedBy("this")
  private int used;

  /** Looking for room was in vain: not again before that time. */
  @GuardedBy("this")
  private long fullUntil;

  @GuardedBy("this")
  private boolean full;

  KernelCacheShard(Notices notices) {
    this.notices = notices;
  }

  /** How often something was forgotten. */
  int forgets() {
    return forgets;
  }

  /**
   * The kernel will be allowed to keep the attributes for so long.
   *
   * @return false if it must not: something was forgotten since, or there is no room
   */
  synchronized boolean giveAttributes(long inode, long mark, long now, long nanos) {
    int at = mark == Integer.toUnsignedLong(forgets) ? claim(inode, now) : FULL;
    if (at == FULL) {
      return false;
    }
    fields[at + ATTRIBUTES_UNTIL] = later(fields[at + ATTRIBUTES_UNTIL], now + nanos);
    return true;
  }

  /** Likewise what it is told of names in this directory, unless they change all the time. */
  synchronized boolean giveNames(long directory, long mark, long now, long nanos) {
    int at = mark == Integer.toUnsignedLong(forgets) ? claim(directory, now) : FULL;
    if (at == FULL || fields[at + BUSY_UNTIL] - now > 0) {
      return false;
    }
    fields[at + NAMES_UNTIL] = later(fields[at + NAMES_UNTIL], now + nanos);
    fields[at + NAMES_GIVEN] = notices.now();
    return true;
  }

  /** The kernel will keep ACLs, even if there is no room to remember it here. */
  synchronized void giveAcls(long inode, long now) {
    int at = claim(inode, now);
    if (at != FULL) {
      fields[at + ACLS] = 1;
    }
  }

  private static long later(long a, long b) {
    return a - b > 0 ? a : b;
  }

  /** The kernel keeps nothing of it when this returns. */
  synchronized void forget(long inode, long now) {
    forgets++;
    int at = find(inode);
    if (at != FULL) {
      forgetSlot(inode, at, now);
    }
  }

  /** The kernel keeps nothing of what is in here when this returns. */
  synchronized void forgetAll(long now) {
    forgets++;
    for (int slot = 0; slot < inodes.length; slot++) {
      if (inodes[slot] != 0) {
        forgetSlot(inodes[slot], slot * FIELDS, now);
      }
    }
  }

  @GuardedBy("this")
  private void forgetSlot(long inode, int at, long now) {
    if (fields[at + ATTRIBUTES_UNTIL] - now > 0 || fields[at + ACLS] != 0) {
      notices.dropAttributes(inode);
      fields[at + ATTRIBUTES_UNTIL] = now;
      fields[at + ACLS] = 0;
    }
    boolean names = fields[at + NAMES_UNTIL] - now > 0;
    if (names && !notices.namesDroppedSince(fields[at + NAMES_GIVEN])) {
      notices.dropNames();
    }
    if (names || fields[at + BUSY_UNTIL] - now > 0) {
      fields[at + NAMES_UNTIL] = now;
      fields[at + BUSY_UNTIL] = now + BUSY;
    }
  }

  /** Where the fields of the inode are, or FULL if it has none. */
  @GuardedBy("this")
  private int find(long inode) {
    int slot = slot(inode);
    return inodes[slot] == inode ? slot * FIELDS : FULL;
  }

  /** Where the fields of the inode are from now on, or FULL. */
  @GuardedBy("this")
  private int claim(long inode, long now) {
    int slot = slot(inode);
    if (inodes[slot] == inode) {
      return slot * FIELDS;
    }
    if (used >= inodes.length / 2) {
      if (full && fullUntil - now > 0) {
        return FULL;
      }
      full = !makeRoom(now);
      if (full) {
        fullUntil = now + PAUSE;
        return FULL;
      }
      slot = slot(inode);
    }
    inodes[slot] = inode;
    used++;
    int at = slot * FIELDS;
    Arrays.fill(fields, at, at + FIELDS, now);
    fields[at + ACLS] = 0;
    return at;
  }

  /** The slot of the inode, or the free one where it belongs. */
  @GuardedBy("this")
  private int slot(long inode) {
    int mask = inodes.length - 1;
    int slot = (int) ((inode * SPREAD) >>> 32) & mask;
    while (inodes[slot] != inode && inodes[slot] != 0) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Lets go of what has run out; grows if that is not much. */
  @GuardedBy("this")
  private boolean makeRoom(long now) {
    long[] oldInodes = inodes;
    long[] oldFields = fields;
    int live = 0;
    for (int slot = 0; slot < oldInodes.length; slot++) {
      live += isLive(oldInodes, oldFields, slot, now) ? 1 : 0;
    }
    int slots = FIRST_SLOTS;
    while (slots < 4 * live && slots < MOST_SLOTS) {
      slots *= 2;
    }
    if (live >= slots / 2) {
      return false;
    }
    inodes = new long[slots];
    fields = new long[slots * FIELDS];
    used = live;
    for (int slot = 0; slot < oldInodes.length; slot++) {
      if (isLive(oldInodes, oldFields, slot, now)) {
        int to = slot(oldInodes[slot]);
        inodes[to] = oldInodes[slot];
        System.arraycopy(oldFields, slot * FIELDS, fields, to * FIELDS, FIELDS);
      } else if (oldInodes[slot] != 0 && oldFields[slot * FIELDS + ACLS] != 0) {
        notices.dropAttributes(oldInodes[slot]); // nobody would remember to do it later
      }
    }
    return true;
  }

  private static boolean isLive(long[] inodes, long[] fields, int slot, long now) {
    int at = slot * FIELDS;
    return inodes[slot] != 0
        && (fields[at + ATTRIBUTES_UNTIL] - now > 0
            || fields[at + NAMES_UNTIL] - now > 0
            || fields[at + BUSY_UNTIL] - now > 0);
  }
}
