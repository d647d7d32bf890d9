package io.regionfs.verbs.soft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The connection manager's one message, in both directions, always 128 bytes, little-endian:
 *
 * <pre>
 *  0 magic (4)   4 version (2)   6 kind   7 private data length   8 queue pair (4)
 * 12 reads the sender serves at once   13 receiver-not-ready retries   14 zero (50)
 * 64 private data (56)   120 zero (8)
 * </pre>
 *
 * @param readDepth READs and atomics that the sender of the message serves at once, 1–255
 * @param rnrRetries how often the sender retries when no receive is posted; 7 means for ever
 */
@SuppressWarnings("ArrayRecordComponent") // made, sent or read once, and never compared
record Handshake(int kind, int queuePair, int readDepth, int rnrRetries, byte[] privateData) {
  static final int BYTES = 128;

  /** Most private data, the limit of the InfiniBand connection manager for TCP port space. */
  static final int MAX_PRIVATE_DATA = 56;

  static final int REQUEST = 1;
  static final int ACCEPT = 2;
  static final int REJECT = 3;

  private static final int MAGIC = 0x53464752;
  private static final int VERSION = 1;
  private static final int PRIVATE_DATA_OFFSET = 64;

  static Handshake reject() {
    return new Handshake(REJECT, 0, 1, 0, new byte[0]);
  }

  byte[] encode() {
    ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(MAGIC).putShort((short) VERSION).put((byte) kind).put((byte) privateData.length);
    out.putInt(queuePair).put((byte) readDepth).put((byte) rnrRetries);
    out.position(PRIVATE_DATA_OFFSET).put(privateData);
    return out.array();
  }

  /**
   * Reads what a stranger sent.
   *
   * @throws IOException if it isn't a message of this version
   */
  static Handshake decode(byte[] bytes) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (in.getInt() != MAGIC) {
      throw new IOException("peer does not speak soft verbs");
    }
    int version = in.getShort();
    if (version != VERSION) {
      throw new IOException("peer speaks soft verbs version " + version + ", not " + VERSION);
    }
    int kind = in.get();
    int privateBytes = in.get() & 0xff;
    int queuePair = in.getInt();
    int depth = in.get() & 0xff;
    int retries = in.get() & 0xff;
    if (kind < REQUEST
        || kind > REJECT
        || privateBytes > MAX_PRIVATE_DATA
        || depth < 1
        || retries > 7) {
      throw new IOException("malformed soft verbs handshake");
    }
    byte[] data =
        Arrays.copyOfRange(bytes, PRIVATE_DATA_OFFSET, PRIVATE_DATA_OFFSET + privateBytes);
    return new Handshake(kind, queuePair, depth, retries, data);
  }
}
