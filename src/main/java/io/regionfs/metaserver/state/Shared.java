package io.regionfs.metaserver.state;

/**
 * Lets equal values be one object: what most inodes have in common, such as an ACL, is kept once.
 * Remembers so many values that were given lately, and nothing grows with the number of inodes.
 */
final class Shared<T> {
  private static final int SIZE = 4096;

  private final Object[] recent = new Object[SIZE];

  /** An equal value that was given before, if it is remembered; else this one. */
  @SuppressWarnings("unchecked") // only values of type T are put in
  T of(T value) {
    int hash = value.hashCode();
    int slot = (hash ^ (hash >>> 12) ^ (hash >>> 24)) & (SIZE - 1);
    if (value.equals(recent[slot])) {
      return (T) recent[slot];
    }
    recent[slot] = value;
    return value;
  }
}
