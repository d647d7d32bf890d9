package io.regionfs.verbs.disni;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * What a connection request says of the end that connects, as private data; little-endian, as many
 * bytes as the connection managers of all transports carry:
 *
 * <pre>
 *  0 magic (4)   4 kind (4)   8 fabric (8)   16 number (8)   24 ended (4 × 8), 0 for none
 * </pre>
 *
 * @param fabric a random number of the fabric that connects
 * @param number of the connection among that fabric's; they count up
 * @param ended connections of that fabric which ended with work in flight: they are dropped before
 *     this one is accepted, so that nothing of theirs arrives behind what this one brings
 * @param allBefore all of that fabric's connections with a lower number are to be dropped
 */
@SuppressWarnings("ArrayRecordComponent") // made, sent or read once, and never compared
record Introduction(long fabric, long number, long[] ended, boolean allBefore) {
  static final int MAX_ENDED = 4;
  private static final int BYTES = 56;
  private static final int MAGIC = 0x49464752;
  private static final int SOME = 1;
  private static final int ALL_BEFORE = 2;

  byte[] encode() {
    ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(MAGIC).putInt(allBefore ? ALL_BEFORE : SOME).putLong(fabric).putLong(number);
    for (int i = 0; i < Math.min(ended.length, MAX_ENDED); i++) {
      out.putLong(ended[i]);
    }
    return out.array();
  }

  /** Null if a stranger connects. The data may be longer than what was sent. */
  static @Nullable Introduction decode(byte[] data) {
    if (data.length < BYTES) {
      return null;
    }
    ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    if (in.getInt() != MAGIC) {
      return null;
    }
    boolean allBefore = in.getInt() == ALL_BEFORE;
    long fabric = in.getLong();
    long number = in.getLong();
    long[] ended = new long[MAX_ENDED];
    in.asLongBuffer().get(ended);
    return new Introduction(fabric, number, ended, allBefore);
  }

  /** Whether this says that a connection of the same fabric has ended. */
  boolean ends(Introduction other) {
    if (other.fabric != fabric) {
      return false;
    }
    boolean named = allBefore && other.number < number;
    for (long one : ended) {
      named |= one == other.number;
    }
    return named;
  }
}
