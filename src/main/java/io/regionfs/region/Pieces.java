package io.regionfs.region;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.ConcurrentMap;

/**
 * The mapped pieces of all regions, at most so many that are not in use. Using a mapped piece takes
 * no lock; mapping and eviction take this one. Eviction goes round like a clock's hand, which
 * approximates least recently used.
 */
final class Pieces implements AutoCloseable {
  private final BackingFiles files;
  private final int limit;

  @GuardedBy("this")
  private final LinkedHashSet<Piece> mapped = new LinkedHashSet<>();

  Pieces(BackingFiles files, int limit) {
    this.files = files;
    this.limit = limit;
  }

  synchronized int count() {
    return mapped.size();
  }

  /**
   * A piece of a region, mapped and in use until released. The caller holds the region's lock, and
   * touches only pages that hold memory.
   *
   * @param pieces the region's mapped pieces by index
   */
  Piece use(InodeId inode, ConcurrentMap<Integer, Piece> pieces, int index) {
    Piece piece = pieces.get(index);
    return piece != null && piece.tryUse() ? piece : map(inode, pieces, index);
  }

  private Piece map(InodeId inode, ConcurrentMap<Integer, Piece> pieces, int index) {
    List<Piece> victims = new ArrayList<>();
    Piece piece;
    synchronized (this) {
      piece = pieces.get(index);
      if (piece != null && piece.tryUse()) {
        return piece;
      }
      piece = new Piece(pieces, index, mapOrEvict(inode, Piece.start(index)));
      if (!piece.tryUse()) {
        throw new IllegalStateException("a new piece cannot be used");
      }
      evictDownTo(limit - 1, victims);
      pieces.put(index, piece);
      mapped.add(piece);
    }
    // Outside the lock: unmapping a full piece takes a while.
    victims.forEach(Piece::unmap);
    return piece;
  }

  @GuardedBy("this")
  private long mapOrEvict(InodeId inode, long offset) {
    try {
      return files.map(inode, offset, Piece.BYTES);
    } catch (FsException e) {
      if (e.errno() != Errno.ENOMEM) {
        throw e;
      }
      // The kernel's limit is lower than ours: make room once.
      List<Piece> victims = new ArrayList<>();
      evictDownTo(mapped.size() / 2, victims);
      victims.forEach(Piece::unmap);
      return files.map(inode, offset, Piece.BYTES);
    }
  }

  @GuardedBy("this")
  private void evictDownTo(int target, List<Piece> victims) {
    // Two rounds: the first may only find that all were used since the last.
    for (int steps = 2 * mapped.size(); mapped.size() > target && steps > 0; steps--) {
      Iterator<Piece> first = mapped.iterator();
      Piece piece = first.next();
      first.remove();
      if (!piece.wasRecent() && piece.tryRetire()) {
        victims.add(piece);
      } else {
        mapped.add(piece);
      }
    }
  }

  /** Unmaps a region's pieces, of which none is in use. */
  void unmapAll(ConcurrentMap<Integer, Piece> pieces) {
    List<Piece> victims = new ArrayList<>(pieces.values());
    synchronized (this) {
      victims.removeIf(piece -> !piece.tryRetire());
      victims.forEach(mapped::remove);
    }
    victims.forEach(Piece::unmap);
  }

  /** Unmaps everything that is not in use. */
  @Override
  public synchronized void close() {
    List<Piece> victims = new ArrayList<>();
    evictDownTo(0, victims);
    victims.forEach(Piece::unmap);
  }
}
