package io.regionfs.model;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One component of a path: 1 to 255 bytes, neither "." nor "..", no slash and no NUL. Linux gives
 * names no encoding, so they are bytes; {@link #toString} shows them as UTF-8.
 */
public final class Name implements Comparable<Name> {
  /** NAME_MAX of Linux, in bytes. */
  public static final int MAX_BYTES = 255;

  private final byte[] bytes;
  private final int hash;

  private Name(byte[] bytes) {
    this.bytes = bytes;
    this.hash = Arrays.hashCode(bytes);
  }

  /**
   * The name with these bytes (copied). ENAMETOOLONG beyond 255 bytes, EINVAL for what cannot be a
   * name.
   */
  public static Name of(byte[] bytes) {
    if (bytes.length > MAX_BYTES) {
      throw new FsException(Errno.ENAMETOOLONG, "name of " + bytes.length + " bytes");
    }
    boolean dots =
        (bytes.length == 1 && bytes[0] == '.')
            || (bytes.length == 2 && bytes[0] == '.' && bytes[1] == '.');
    if (bytes.length == 0 || dots) {
      throw new FsException(
          Errno.EINVAL, "not a name: \"" + new String(bytes, StandardCharsets.UTF_8) + "\"");
    }
    for (byte b : bytes) {
      if (b == '/' || b == 0) {
        throw new FsException(Errno.EINVAL, "name with a slash or NUL");
      }
    }
    return new Name(bytes.clone());
  }

  public static Name of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /** A copy of the bytes. */
  public byte[] bytes() {
    return bytes.clone();
  }

  public int length() {
    return bytes.length;
  }

  @Override
  public int compareTo(Name other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Name name && Arrays.equals(bytes, name.bytes);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
