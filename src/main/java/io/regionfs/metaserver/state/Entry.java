package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;

/** One name in a directory. The inode behind it changes when another one is renamed over it. */
final class Entry {
  private static final int FNV_BASIS = 0x811C9DC5;
  private static final int FNV_PRIME = 0x01000193;

  final long cookie;
  long inode;

  /** Not as a ByteString: that would cost another object per name. */
  private final byte[] name;

  Entry(ByteString name, long cookie, long inode) {
    this.name = name.toByteArray();
    this.cookie = cookie;
    this.inode = inode;
  }

  ByteString name() {
    return UnsafeByteOperations.unsafeWrap(name);
  }

  boolean isNamed(ByteString other) {
    if (other.size() != name.length) {
      return false;
    }
    for (int i = 0; i < name.length; i++) {
      if (name[i] != other.byteAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** Well mixed in its lower bits. */
  static int hash(ByteString name) {
    int hash = FNV_BASIS;
    for (int i = 0; i < name.size(); i++) {
      hash = (hash ^ name.byteAt(i)) * FNV_PRIME;
    }
    hash = (hash ^ (hash >>> 16)) * 0x85EBCA6B;
    hash = (hash ^ (hash >>> 13)) * 0xC2B2AE35;
    return hash ^ (hash >>> 16);
  }

  /** A checksum of the entry in its directory. */
  long print(long directory) {
    return new Fingerprint().add(directory).add(cookie).add(inode).add(name()).value();
  }
}
