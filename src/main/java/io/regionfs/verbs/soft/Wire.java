package io.regionfs.verbs.soft;

import io.regionfs.posix.Memory;

/**
 * The frames of an established connection. Each is a header of 40 bytes, little-endian, and for
 * some types {@code length} bytes of payload:
 *
 * <pre>
 *  0 type     1 flags    2 zero (2)   4 length (4)
 *  8 remote address (8)              16 remote key / count (4)    20 immediate (4)
 * 24 operand: compare, add, or old value (8)                      32 swap (8)
 * </pre>
 *
 * Requests are answered in order, each by one response; an ACK may answer several.
 */
final class Wire {
  static final int HEADER_BYTES = 40;

  /** Longest message, as on most NICs. */
  static final int MAX_MESSAGE_BYTES = 1 << 30;

  static final int SEND = 1;
  static final int WRITE = 2;
  static final int READ = 3;
  static final int COMPARE_AND_SWAP = 4;
  static final int FETCH_AND_ADD = 5;
  static final int LAST_REQUEST = FETCH_AND_ADD;

  /** Answers {@code count} SENDs and WRITEs. */
  static final int ACK = 16;

  /** Carries the bytes of a READ. */
  static final int READ_DATA = 17;

  /** Carries the old value of an atomic. */
  static final int ATOMIC_RESULT = 18;

  /** Refuses a request; its work completion status is in the flags. The connection ends. */
  static final int REFUSAL = 19;

  /** No receive was posted: the request and all after it are ignored until one with RESYNC. */
  static final int NOT_READY = 20;

  static final int DISCONNECT = 32;

  static final int FLAG_IMMEDIATE = 1;
  static final int FLAG_SOLICITED = 2;

  /** The first request of a retransmission. */
  static final int FLAG_RESYNC = 4;

  static final int ALL_REQUEST_FLAGS = FLAG_IMMEDIATE | FLAG_SOLICITED | FLAG_RESYNC;

  private Wire() {}

  static void clear(long header) {
    Memory.fill(header, HEADER_BYTES, (byte) 0);
  }

  static int type(long header) {
    return Memory.getByte(header) & 0xff;
  }

  static void type(long header, int value) {
    Memory.putByte(header, (byte) value);
  }

  static int flags(long header) {
    return Memory.getByte(header + 1) & 0xff;
  }

  static void flags(long header, int value) {
    Memory.putByte(header + 1, (byte) value);
  }

  static int reserved(long header) {
    return Memory.getShort(header + 2);
  }

  static int length(long header) {
    return Memory.getInt(header + 4);
  }

  static void length(long header, int value) {
    Memory.putInt(header + 4, value);
  }

  static long address(long header) {
    return Memory.getLong(header + 8);
  }

  static void address(long header, long value) {
    Memory.putLong(header + 8, value);
  }

  static int key(long header) {
    return Memory.getInt(header + 16);
  }

  static void key(long header, int value) {
    Memory.putInt(header + 16, value);
  }

  static int immediate(long header) {
    return Memory.getInt(header + 20);
  }

  static void immediate(long header, int value) {
    Memory.putInt(header + 20, value);
  }

  static long operand(long header) {
    return Memory.getLong(header + 24);
  }

  static void operand(long header, long value) {
    Memory.putLong(header + 24, value);
  }

  static long swap(long header) {
    return Memory.getLong(header + 32);
  }

  static void swap(long header, long value) {
    Memory.putLong(header + 32, value);
  }
}
