package io.regionfs.region;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.verbs.RegisteredMemory;

/** A part of one piece that other hosts may touch one-sided until it is closed. */
final class Exposure {
  private final Piece piece;
  private final long offset;
  private final boolean writable;
  private final RegisteredMemory memory;

  /**
   * Set before closing starts: from then on it is given to nobody. Guarded by {@link Exposures}.
   */
  private boolean withdrawn;

  @GuardedBy("this")
  private boolean closed;

  /** Takes over one use of the piece. */
  Exposure(Piece piece, long offset, boolean writable, RegisteredMemory memory) {
    this.piece = piece;
    this.offset = offset;
    this.writable = writable;
    this.memory = memory;
  }

  Piece piece() {
    return piece;
  }

  /** Where it starts in the region. */
  long offset() {
    return offset;
  }

  long end() {
    return offset + memory.length();
  }

  long length() {
    return memory.length();
  }

  boolean writable() {
    return writable;
  }

  long address() {
    return memory.address();
  }

  int remoteKey() {
    return memory.remoteKey();
  }

  boolean withdrawn() {
    return withdrawn;
  }

  void withdraw() {
    withdrawn = true;
  }

  /** Returns when no host can touch the memory any more, whichever thread closes it. */
  synchronized void close() {
    if (!closed) {
      closed = true;
      memory.close();
      piece.release();
    }
  }
}
