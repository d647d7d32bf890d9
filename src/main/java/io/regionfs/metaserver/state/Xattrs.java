package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.model.Errno;
import io.regionfs.proto.SetXattr;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The extended attributes of an inode, or of many that have the same. Immutable. Source: xattr(7),
 * setxattr(2).
 */
final class Xattrs {
  static final int CREATE = 1;
  static final int REPLACE = 2;

  /** Names and values of one inode together, in bytes. */
  static final int MAX_TOTAL_BYTES = 16 << 10;

  private static final int MAX_VALUE_BYTES = 16 << 10;
  private static final int MAX_NAME_BYTES = 255;

  /** Keeps a list of all names within one message. */
  private static final int MAX_COUNT = 4096;

  private static final Comparator<ByteString> ORDER =
      ByteString.unsignedLexicographicalComparator();

  static final Xattrs NONE = new Xattrs(new ByteString[0], new ByteString[0]);

  private final ByteString[] names; // in ascending order
  private final ByteString[] values;
  private final long print;

  private Xattrs(ByteString[] names, ByteString[] values) {
    this.names = names;
    this.values = values;
    Fingerprint sum = new Fingerprint();
    for (int i = 0; i < names.length; i++) {
      sum.add(names[i]).add(values[i]);
    }
    print = sum.value();
  }

  private int find(ByteString name) {
    return Arrays.binarySearch(names, name, ORDER);
  }

  @Nullable ByteString get(ByteString name) {
    int at = find(name);
    return at < 0 ? null : values[at];
  }

  List<ByteString> names() {
    return List.of(names);
  }

  boolean isEmpty() {
    return names.length == 0;
  }

  /** Names and values, in bytes. */
  int totalBytes() {
    int total = 0;
    for (int i = 0; i < names.length; i++) {
      total += names[i].size() + values[i].size();
    }
    return total;
  }

  /** EEXIST, ENODATA, ENOSPC, EINVAL, ERANGE, E2BIG: setxattr(2). */
  Xattrs with(ByteString name, ByteString value, int flags) {
    check(name, value, flags);
    int at = find(name);
    if (at >= 0 && (flags & CREATE) != 0) {
      throw new Refusal(Errno.EEXIST, "the attribute exists");
    }
    if (at < 0 && (flags & REPLACE) != 0) {
      throw new Refusal(Errno.ENODATA, "no such attribute");
    }
    int freed = at < 0 ? 0 : name.size() + values[at].size();
    int total = totalBytes() - freed + name.size() + value.size();
    if (total > MAX_TOTAL_BYTES || (at < 0 && names.length >= MAX_COUNT)) {
      throw new Refusal(Errno.ENOSPC, "attributes of one inode beyond " + MAX_TOTAL_BYTES);
    }
    if (at >= 0) {
      ByteString[] changed = values.clone();
      changed[at] = value;
      return new Xattrs(names, changed);
    }
    return new Xattrs(inserted(names, -at - 1, name), inserted(values, -at - 1, value));
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

  private static ByteString[] inserted(ByteString[] array, int at, ByteString value) {
    ByteString[] longer = Arrays.copyOf(array, array.length + 1);
    System.arraycopy(array, at, longer, at + 1, array.length - at);
    longer[at] = value;
    return longer;
  }

  /** ENODATA if there is none of this name. */
  Xattrs without(ByteString name) {
    int at = find(name);
    if (at < 0) {
      throw new Refusal(Errno.ENODATA, "no such attribute");
    }
    return new Xattrs(shortened(names, at), shortened(values, at));
  }

  private static ByteString[] shortened(ByteString[] array, int at) {
    ByteString[] shorter = Arrays.copyOf(array, array.length - 1);
    System.arraycopy(array, at + 1, shorter, at, shorter.length - at);
    return shorter;
  }

  List<SetXattr> records() {
    List<SetXattr> records = new ArrayList<>(names.length);
    for (int i = 0; i < names.length; i++) {
      records.add(SetXattr.newBuilder().setName(names[i]).setValue(values[i]).build());
    }
    return records;
  }

  static Xattrs of(List<SetXattr> records) {
    Xattrs xattrs = NONE;
    for (SetXattr record : records) {
      xattrs = xattrs.with(record.getName(), record.getValue(), CREATE);
    }
    return xattrs;
  }

  long print() {
    return print;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Xattrs xattrs
        && print == xattrs.print
        && Arrays.equals(names, xattrs.names)
        && Arrays.equals(values, xattrs.values);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(print);
  }
}
