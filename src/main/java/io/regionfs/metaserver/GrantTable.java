package io.regionfs.metaserver;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;

/**
 * Who holds a lease on what: pairs of an inode and a holder's number, at about 24 bytes each and
 * without an object. Split by inode into parts with a lock each; within one, open addressing with
 * linear probing.
 */
final class GrantTable {
  private static final int PARTS = 64;
  private static final int FIRST_SLOTS = 64;
  private static final int[] NONE = {};

  private final Part[] parts = new Part[PARTS];
  private final AtomicInteger size = new AtomicInteger();
  private final int most;

  /**
   * @param most pairs held at once
   */
  GrantTable(int most) {
    this.most = most;
    for (int i = 0; i < PARTS; i++) {
      parts[i] = new Part();
    }
  }

  int size() {
    return size.get();
  }

  int most() {
    return most;
  }

  /** False, and not added, if the table is full. */
  boolean add(long inode, int holder) {
    Part part = part(inode);
    synchronized (part) {
      int slot = part.find(inode, holder);
      if (slot >= 0) {
        return true;
      }
      if (size.get() >= most) {
        return false;
      }
      part.put(~slot, inode, holder);
    }
    size.incrementAndGet();
    return true;
  }

  /** Removes all holders of the inode and returns them. */
  int[] take(long inode) {
    Part part = part(inode);
    synchronized (part) {
      int[] taken = part.take(inode);
      size.addAndGet(-taken.length);
      return taken;
    }
  }

  /** An inode that is held, another one with every number; 0 if there is none near it. */
  long some(int number) {
    Part part = parts[Math.floorMod(number, PARTS)];
    synchronized (part) {
      return part.some(number / PARTS);
    }
  }

  /** Removes the pairs of these holders. */
  void purge(IntPredicate gone) {
    for (Part part : parts) {
      synchronized (part) {
        size.addAndGet(-part.purge(gone));
      }
    }
  }

  private Part part(long inode) {
    return parts[(int) (mix(inode) >>> 58)];
  }

  private static long mix(long inode) {
    long mixed = inode * 0x9E3779B97F4A7C15L;
    return mixed ^ (mixed >>> 29);
  }

  private static final class Part {
    /** 0: free. Its size is a power of two, and at least half of it is free. */
    @GuardedBy("this")
    private long[] inodes = new long[FIRST_SLOTS];

    @GuardedBy("this")
    private int[] holders = new int[FIRST_SLOTS];

    @GuardedBy("this")
    private int used;

    private static int home(long inode, int slots) {
      return (int) mix(inode) & (slots - 1);
    }

    /** Where the pair is; if it is not there, the complement of where it could be. */
    @GuardedBy("this")
    int find(long inode, int holder) {
      int slot = home(inode, inodes.length);
      while (inodes[slot] != 0) {
        if (inodes[slot] == inode && holders[slot] == holder) {
          return slot;
        }
        slot = (slot + 1) & (inodes.length - 1);
      }
      return ~slot;
    }

    @GuardedBy("this")
    void put(int slot, long inode, int holder) {
      inodes[slot] = inode;
      holders[slot] = holder;
      used++;
      if (used * 2 > inodes.length) {
        rebuild(inodes.length * 2, number -> false);
      }
    }

    @GuardedBy("this")
    int[] take(long inode) {
      int[] taken = NONE;
      int slot = home(inode, inodes.length);
      while (inodes[slot] != 0) {
        if (inodes[slot] == inode) {
          taken = Arrays.copyOf(taken, taken.length + 1);
          taken[taken.length - 1] = holders[slot];
          free(slot);
        } else {
          slot = (slot + 1) & (inodes.length - 1);
        }
      }
      used -= taken.length;
      return taken;
    }

    /** Moves what was pushed on by the freed slot back, so that no probe ends too early. */
    @GuardedBy("this")
    private void free(int freed) {
      int mask = inodes.length - 1;
      int hole = freed;
      int slot = (hole + 1) & mask;
      while (inodes[slot] != 0) {
        int distance = (slot - home(inodes[slot], inodes.length)) & mask;
        if (distance >= ((slot - hole) & mask)) {
          inodes[hole] = inodes[slot];
          holders[hole] = holders[slot];
          hole = slot;
        }
        slot = (slot + 1) & mask;
      }
      inodes[hole] = 0;
    }

    @GuardedBy("this")
    long some(int from) {
      for (int i = 0; i < FIRST_SLOTS; i++) {
        long inode = inodes[(from + i) & (inodes.length - 1)];
        if (inode != 0) {
          return inode;
        }
      }
      return 0;
    }

    @GuardedBy("this")
    int purge(IntPredicate gone) {
      int before = used;
      rebuild(inodes.length, gone);
      return before - used;
    }

    @GuardedBy("this")
    private void rebuild(int slots, IntPredicate gone) {
      long[] oldInodes = inodes;
      int[] oldHolders = holders;
      inodes = new long[slots];
      holders = new int[slots];
      used = 0;
      for (int i = 0; i < oldInodes.length; i++) {
        if (oldInodes[i] != 0 && !gone.test(oldHolders[i])) {
          int slot = ~find(oldInodes[i], oldHolders[i]);
          inodes[slot] = oldInodes[i];
          holders[slot] = oldHolders[i];
          used++;
        }
      }
    }
  }
}
