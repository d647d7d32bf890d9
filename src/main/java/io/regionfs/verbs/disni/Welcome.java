package io.regionfs.verbs.disni;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What accepting a connection says to the end that connects, as private data; little-endian:
 *
 * <pre>
 *  0 magic (4)   4 key of the pulse (4)   8 address of the pulse (8)
 * </pre>
 *
 * @param pulseAddress where that end counts up; 0 if it need not
 */
record Welcome(long pulseAddress, int pulseKey) {
  static final Welcome WITHOUT_PULSE = new Welcome(0, 0);
  private static final int BYTES = 16;
  private static final int MAGIC = 0x57464752;

  byte[] encode() {
    ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    return out.putInt(MAGIC).putInt(pulseKey).putLong(pulseAddress).array();
  }

  /** The data may be longer than what was sent, or somebody else's. */
  static Welcome decode(byte[] data) {
    if (data.length >= BYTES) {
      ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
      if (in.getInt() == MAGIC) {
        int key = in.getInt();
        return new Welcome(in.getLong(), key);
      }
    }
    return WITHOUT_PULSE;
  }
}
