package io.regionfs.cli;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/**
 * What bytes of a file may be, while several hosts store into them. Each byte belongs to one host,
 * which counts it up: so a value that is read lies between the last one that its owner is known to
 * have published and the last one it has stored.
 */
final class SharedBytes {
  /** An owner publishes before it is so far ahead: values are counts modulo 256. */
  static final int MOST_AHEAD = 200;

  private final int hosts;
  private final AtomicIntegerArray stored;
  private final AtomicIntegerArray published;

  SharedBytes(int hosts, int length) {
    this.hosts = hosts;
    this.stored = new AtomicIntegerArray(length);
    this.published = new AtomicIntegerArray(length);
  }

  int length() {
    return stored.length();
  }

  /** Bytes of all owners lie in every page, in runs of different lengths. */
  int owner(int offset) {
    return (offset / 5 + offset / 17) % hosts;
  }

  int stored(int offset) {
    return stored.get(offset);
  }

  int published(int offset) {
    return published.get(offset);
  }

  boolean isFarAhead(int offset) {
    return stored.get(offset) - published.get(offset) >= MOST_AHEAD;
  }

  /** By the owner, before it stores the value that this returns. */
  byte next(int offset) {
    return (byte) stored.incrementAndGet(offset);
  }

  /** All that a host has stored, to be published when others see it. */
  int[] storedBy(int host) {
    int[] counts = new int[length()];
    for (int at = 0; at < counts.length; at++) {
      counts[at] = owner(at) == host ? stored.get(at) : 0;
    }
    return counts;
  }

  /** Others see from now on what the host had stored at least. */
  void publish(int host, int[] counts) {
    for (int at = 0; at < counts.length; at++) {
      if (owner(at) == host) {
        publish(at, counts[at]);
      }
    }
  }

  void publish(int offset, int count) {
    published.accumulateAndGet(offset, count, Math::max);
  }

  int[] allPublished() {
    int[] counts = new int[length()];
    for (int at = 0; at < counts.length; at++) {
      counts[at] = published.get(at);
    }
    return counts;
  }

  /**
   * What is wrong with a value; null: nothing.
   *
   * @param least what must have been seen, as it was before the byte was read
   */
  @Nullable String fault(int offset, byte value, int least) {
    int most = stored.get(offset);
    int above = (value - least) & 0xff;
    return above <= most - least
        ? null
        : "byte "
            + offset
            + " of host "
            + (owner(offset) + 1)
            + " is "
            + (value & 0xff)
            + ", not between "
            + (least & 0xff)
            + " and "
            + (most & 0xff);
  }
}
