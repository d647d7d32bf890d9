package io.regionfs.region;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.RegisteredMemory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The exposures of all regions, within a pin budget and a number. The least recently asked-for go
 * first; who still holds such a key finds its connection ended and asks again.
 *
 * <p>This lock guards the lists and the numbers. It is taken after a region's lock, and not held
 * while registering or deregistering, which may take long. An exposure stays in its piece's list
 * until it is closed, so that whoever frees its memory meets it there and waits.
 */
final class Exposures implements AutoCloseable {
  private final Fabric fabric;
  private final long pinBudgetBytes;
  private final int limit;
  private final long maxBytes;

  @GuardedBy("this")
  private final LinkedHashSet<Exposure> leastRecentFirst = new LinkedHashSet<>();

  @GuardedBy("this")
  private long pinnedBytes;

  /** With those that are about to be registered. */
  @GuardedBy("this")
  private int count;

  Exposures(Fabric fabric, long pinBudgetBytes, int limit) {
    this.fabric = fabric;
    this.pinBudgetBytes = pinBudgetBytes;
    this.limit = limit;
    this.maxBytes =
        Math.min(
            Math.min(Piece.BYTES, Pages.down(fabric.limits().registrationBytes())),
            Pages.down(pinBudgetBytes / 2));
  }

  /** The longest exposure to make: the device takes it, and two of them fit the budget. */
  long maxBytes() {
    return maxBytes;
  }

  long pinBudgetBytes() {
    return pinBudgetBytes;
  }

  synchronized long pinnedBytes() {
    return pinnedBytes;
  }

  synchronized int count() {
    return count;
  }

  synchronized int countOf(Collection<Piece> pieces) {
    return pieces.stream().mapToInt(piece -> piece.exposures().size()).sum();
  }

  synchronized long pinnedBytesOf(Collection<Piece> pieces) {
    return pieces.stream()
        .flatMap(piece -> piece.exposures().stream())
        .mapToLong(Exposure::length)
        .sum();
  }

  /** One that covers a byte and grants the access, the furthest reaching; marks it as used. */
  synchronized @Nullable Exposure find(Piece piece, long position, boolean write) {
    Exposure best = null;
    for (Exposure exposure : piece.exposures()) {
      if (isUsable(exposure, write)
          && exposure.offset() <= position
          && exposure.end() > position
          && (best == null || exposure.end() > best.end())) {
        best = exposure;
      }
    }
    if (best != null) {
      leastRecentFirst.remove(best);
      leastRecentFirst.add(best);
    }
    return best;
  }

  /** The part of a range around a position that no usable exposure covers: {from, to}. */
  synchronized long[] uncovered(Piece piece, long from, long to, long position, boolean write) {
    long[] gap = {from, to};
    for (Exposure exposure : piece.exposures()) {
      if (isUsable(exposure, write)) {
        if (exposure.end() <= position) {
          gap[0] = Math.max(gap[0], exposure.end());
        } else if (exposure.offset() > position) {
          gap[1] = Math.min(gap[1], exposure.offset());
        }
      }
    }
    return gap;
  }

  private static boolean isUsable(Exposure exposure, boolean write) {
    return !exposure.withdrawn() && (exposure.writable() || !write);
  }

  /**
   * Exposes a range of one piece, all of which holds memory and continues to until the caller's
   * region lock is released. The caller has the piece in use.
   *
   * @throws FsException ENOMEM when the device refuses
   */
  Exposure expose(Piece piece, long from, long to, boolean write) {
    makeRoom(to - from);
    boolean done = false;
    try {
      if (!piece.tryUse()) {
        throw new IllegalStateException("the piece is not in use");
      }
      RegisteredMemory memory = register(piece, from, to - from, write);
      Exposure exposure = new Exposure(piece, from, write, memory);
      synchronized (this) {
        piece.exposures().add(exposure);
        leastRecentFirst.add(exposure);
      }
      done = true;
      return exposure;
    } finally {
      if (!done) {
        synchronized (this) {
          pinnedBytes -= to - from;
          count--;
        }
      }
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // the exposure closes it
  private RegisteredMemory register(Piece piece, long from, long length, boolean write) {
    Access access = write ? Access.REMOTE_WRITE : Access.REMOTE_READ;
    try {
      return fabric.register(piece.addressOf(from), length, access);
    } catch (IOException first) {
      // The device's limits may be lower than ours: give half back, then try once more.
      evict(withdrawDownTo(pinnedBytes() / 2, count() / 2));
      try {
        return fabric.register(piece.addressOf(from), length, access);
      } catch (IOException e) {
        e.addSuppressed(first);
        piece.release();
        throw new FsException(Errno.ENOMEM, "cannot register memory: " + e.getMessage(), e);
      }
    }
  }

  private void makeRoom(long bytes) {
    synchronized (this) {
      pinnedBytes += bytes;
      count++;
    }
    evict(withdrawDownTo(pinBudgetBytes, limit));
  }

  private synchronized List<Exposure> withdrawDownTo(long bytes, int number) {
    List<Exposure> victims = new ArrayList<>();
    long pinned = pinnedBytes;
    int left = count;
    Iterator<Exposure> candidates = leastRecentFirst.iterator();
    while ((pinned > bytes || left > number) && candidates.hasNext()) {
      Exposure victim = candidates.next();
      victim.withdraw();
      candidates.remove();
      victims.add(victim);
      pinned -= victim.length();
      left--;
    }
    return victims;
  }

  private void evict(List<Exposure> victims) {
    for (Exposure victim : victims) {
      victim.close();
      synchronized (this) {
        if (victim.piece().exposures().remove(victim)) {
          leastRecentFirst.remove(victim);
          pinnedBytes -= victim.length();
          count--;
        }
      }
    }
  }

  /** Closes what overlaps a range; afterwards no host touches it until it is exposed again. */
  void closeOverlapping(Collection<Piece> pieces, long from, long to) {
    List<Exposure> victims = new ArrayList<>();
    synchronized (this) {
      for (Piece piece : pieces) {
        for (Exposure exposure : piece.exposures()) {
          if (exposure.offset() < to && exposure.end() > from) {
            exposure.withdraw();
            victims.add(exposure);
          }
        }
      }
    }
    evict(victims);
  }

  @Override
  public void close() {
    evict(withdrawDownTo(0, 0));
  }
}
