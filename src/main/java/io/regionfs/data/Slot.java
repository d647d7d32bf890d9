package io.regionfs.data;

import java.time.Instant;

/**
 * The 64 bytes that a home keeps per region where every host reads them one-sided: little-endian
 * words, 8-byte aligned.
 *
 * <pre>
 *   0  inode     the region this slot belongs to; 0: free. A reader that finds another inode attaches again
 *   8  size      epoch in bits 63..48, direct in bit 47, bytes in bits 46..0; changed only by
 *               compare-and-swap, in the way that the home says when a host attaches
 *  16  mtime     nanoseconds since 1970, signed
 *  24  ctime     nanoseconds since 1970, signed
 *  32  allocated bytes of memory that the region holds, written by the home alone
 *  40  spare
 * </pre>
 *
 * <p>While a region is direct, the kernel of the home writes its file without a word to anybody:
 * the size here is then a lower bound, which the home moves when it is asked for anything, and
 * which no other host moves at all.
 *
 * <p>The epoch changes with every shrink, and when a region becomes direct or ceases to be. A
 * writer that extends the file swaps the size after its data is there; if the epoch has changed
 * since it began, its bytes may be gone and it writes them again.
 */
public final class Slot {
  public static final int INODE = 0;
  public static final int SIZE = INODE + Long.BYTES;
  public static final int MTIME = SIZE + Long.BYTES;
  public static final int CTIME = MTIME + Long.BYTES;
  public static final int ALLOCATED = CTIME + Long.BYTES;
  public static final int BYTES = 64;

  private static final long NANOS_PER_SECOND = 1_000_000_000L;
  private static final int SIZE_BITS = 47;
  private static final long SIZE_MASK = (1L << SIZE_BITS) - 1;
  private static final long DIRECT = 1L << SIZE_BITS;
  private static final int EPOCH_SHIFT = SIZE_BITS + 1;

  private Slot() {}

  /** The bytes of a size word. */
  public static long sizeOf(long word) {
    return word & SIZE_MASK;
  }

  /** The epoch of a size word, 16 bits. */
  public static int epochOf(long word) {
    return (int) (word >>> EPOCH_SHIFT);
  }

  /** Whether the size is a lower bound, which only the home may move. */
  public static boolean isDirect(long word) {
    return (word & DIRECT) != 0;
  }

  public static long word(int epoch, long size) {
    return ((long) epoch << EPOCH_SHIFT) | size;
  }

  public static long word(int epoch, boolean direct, long size) {
    return word(epoch, size) | (direct ? DIRECT : 0);
  }

  /** A time word as a time. */
  public static Instant instant(long nanos) {
    return Instant.ofEpochSecond(
        Math.floorDiv(nanos, NANOS_PER_SECOND), Math.floorMod(nanos, NANOS_PER_SECOND));
  }

  /** The time of a change: now, or where the clock is behind the last change, just after that. */
  public static long after(long lastChange, long now) {
    return now > lastChange || lastChange == Long.MAX_VALUE ? now : lastChange + 1;
  }

  /**
   * A time as a word; one beyond the years 1677 to 2262 becomes the nearest that a word can hold.
   */
  public static long nanos(Instant time) {
    try {
      return Math.addExact(
          Math.multiplyExact(time.getEpochSecond(), NANOS_PER_SECOND), time.getNano());
    } catch (ArithmeticException e) {
      return time.getEpochSecond() < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
  }
}
