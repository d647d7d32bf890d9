package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;

/** A running 64-bit checksum of a state; the order of what is added counts. */
final class Fingerprint {
  private long hash = 0x9E3779B97F4A7C15L;

  Fingerprint add(long value) {
    long mixed = (hash ^ value) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    hash = mixed ^ (mixed >>> 31);
    return this;
  }

  Fingerprint add(boolean value) {
    return add(value ? 1 : 2);
  }

  Fingerprint add(ByteString bytes) {
    int size = bytes.size();
    add(size);
    long word = 0;
    for (int i = 0; i < size; i++) {
      word = (word << Byte.SIZE) | (bytes.byteAt(i) & 0xFF);
      if (i % Long.BYTES == Long.BYTES - 1) {
        add(word);
        word = 0;
      }
    }
    return size % Long.BYTES == 0 ? this : add(word);
  }

  Fingerprint add(String text) {
    return add(ByteString.copyFromUtf8(text));
  }

  long value() {
    return hash;
  }
}
