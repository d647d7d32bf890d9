package io.regionfs.fuse;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How requests get from the kernel to our threads. */
public enum Transport {
  /** Whichever of the others is the fastest on this host. */
  AUTO,

  /** Threads that sleep in read(2) on /dev/fuse. */
  THREADS,

  /** The same, but one of them polls for a short while before it sleeps. */
  SPIN,

  /** Threads that sleep in a ring for each CPU, with Linux 6.16 and later. */
  URING;

  /** As users write it: in small letters. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * @throws IllegalArgumentException that says what is known
   */
  public static Transport parse(String text) {
    for (Transport transport : values()) {
      if (transport.text().equals(text)) {
        return transport;
      }
    }
    throw new IllegalArgumentException(
        "unknown transport '"
            + text
            + "' (known: "
            + Arrays.stream(values()).map(Transport::text).collect(Collectors.joining(", "))
            + ")");
  }
}
