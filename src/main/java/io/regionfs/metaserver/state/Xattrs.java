package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.model.Errno;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The extended attributes of one inode. Source: xattr(7), setxattr(2). */
final class Xattrs {
  static final int CREATE = 1;
  static final int REPLACE = 2;

  /** Names and values of one inode together, in bytes. */
  static final int MAX_TOTAL_BYTES = 16 << 10;

  private static final int MAX_VALUE_BYTES = 16 << 10;
  private static final int MAX_NAME_BYTES = 255;

  /** Keeps a list of all names within one message. */
  private static final int MAX_COUNT = 4096;

  private final TreeMap<ByteString, ByteString> values =
      new TreeMap<>(ByteString.unsignedLexicographicalComparator());
  private int totalBytes;

  @Nullable ByteString get(ByteString name) {
    return values.get(name);
  }

  Set<ByteString> names() {
    return values.keySet();
  }

  void set(ByteString name, ByteString value, int flags) {
    check(name, value, flags);
    ByteString old = values.get(name);
    if (old != null && (flags & CREATE) != 0) {
      throw new Refusal(Errno.EEXIST, "the attribute exists");
    }
    if (old == null && (flags & REPLACE) != 0) {
      throw new Refusal(Errno.ENODATA, "no such attribute");
    }
    int freed = old == null ? 0 : name.size() + old.size();
    int total = totalBytes - freed + name.size() + value.size();
    if (total > MAX_TOTAL_BYTES || (old == null && values.size() >= MAX_COUNT)) {
      throw new Refusal(Errno.ENOSPC, "attributes of one inode beyond " + MAX_TOTAL_BYTES);
    }
    values.put(name, value);
    totalBytes = total;
  }

  private static void check(ByteString name, ByteString value, int flags) {
    if ((flags & ~(CREATE | REPLACE)) != 0) {
      throw new Refusal(Errno.EINVAL, "unknown flags " + flags);
    }
    if (name.isEmpty() || name.size() > MAX_NAME_BYTES) {
      throw new Refusal(Errno.ERANGE, "attribute name of " + name.size() + " bytes");
    }
    if (value.size() > MAX_VALUE_BYTES) {
      throw new Refusal(Errno.E2BIG, "attribute value of " + value.size() + " bytes");
    }
  }

  void remove(ByteString name) {
    ByteString old = values.remove(name);
    if (old == null) {
      throw new Refusal(Errno.ENODATA, "no such attribute");
    }
    totalBytes -= name.size() + old.size();
  }

  void addTo(Fingerprint print) {
    values.forEach((name, value) -> print.add(name).add(value));
  }
}
