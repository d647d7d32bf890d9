package io.regionfs.fuse;

import io.regionfs.data.TransferBuffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Builds requests as the kernel would. */
final class RequestBuilder {
  static final int HEADER_BYTES = 40;
  static final int UID = 1000;
  static final int GID = 1001;
  static final int PID = 4711;

  private final ByteBuffer bytes = ByteBuffer.allocate(1 << 21).order(ByteOrder.nativeOrder());

  RequestBuilder(int opcode, long unique, long node) {
    bytes.putInt(0).putInt(opcode).putLong(unique).putLong(node);
    bytes.putInt(UID).putInt(GID).putInt(PID).putInt(0);
  }

  RequestBuilder int32(int... values) {
    for (int value : values) {
      bytes.putInt(value);
    }
    return this;
  }

  RequestBuilder int64(long... values) {
    for (long value : values) {
      bytes.putLong(value);
    }
    return this;
  }

  /** With its NUL. */
  RequestBuilder string(String value) {
    bytes.put(value.getBytes(StandardCharsets.UTF_8)).put((byte) 0);
    return this;
  }

  RequestBuilder data(byte... value) {
    bytes.put(value);
    return this;
  }

  /** Puts the request into a buffer, as a read of /dev/fuse does. */
  int into(TransferBuffer buffer) {
    int length = bytes.position();
    bytes.putInt(0, length);
    io.regionfs.posix.Memory.put(buffer.address(), bytes.array(), 0, length);
    return length;
  }
}
