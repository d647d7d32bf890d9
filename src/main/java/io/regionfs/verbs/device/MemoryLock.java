package io.regionfs.verbs.device;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * How much memory a process may lock (RLIMIT_MEMLOCK), as registering with a device does.
 *
 * @param bytes Long.MAX_VALUE: no limit
 * @param privileged it has CAP_IPC_LOCK: the limit does not count
 */
public record MemoryLock(long bytes, boolean privileged) {
  /** What a node needs for its own buffers before it lends a byte. */
  public static final long LEAST_BYTES = 32L << 20;

  private static final int CAP_IPC_LOCK = 14;

  public static MemoryLock ofThisProcess() throws IOException {
    return of(Path.of("/"));
  }

  /**
   * @param root what stands for / (tests give their own)
   */
  public static MemoryLock of(Path root) throws IOException {
    String[] limit = field(root.resolve("proc/self/limits"), "Max locked memory").split(" +", -1);
    String capabilities = field(root.resolve("proc/self/status"), "CapEff:");
    long bytes =
        limit[0].matches("\\d+") ? Long.parseLong(limit[0]) : Long.MAX_VALUE; // "unlimited"
    boolean privileged =
        capabilities.matches("[0-9a-fA-F]{1,16}")
            && (Long.parseUnsignedLong(capabilities, 16) >> CAP_IPC_LOCK & 1) == 1;
    return new MemoryLock(bytes, privileged);
  }

  private static String field(Path file, String name) throws IOException {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(name.length()).strip())
          .findFirst()
          .orElse("");
    }
  }

  /** How much may be registered with a device; Long.MAX_VALUE: all there is. */
  public long lockableBytes() {
    return privileged ? Long.MAX_VALUE : bytes;
  }

  /** A device can hardly be used within it. */
  public boolean isTiny() {
    return lockableBytes() < LEAST_BYTES;
  }

  /** As {@code ulimit -l} says it. */
  public String text() {
    String limit = bytes == Long.MAX_VALUE ? "unlimited" : (bytes >> 10) + " KiB (ulimit -l)";
    return privileged && bytes != Long.MAX_VALUE ? limit + ", not counted: CAP_IPC_LOCK" : limit;
  }

  /** How to raise it. */
  public static String cure() {
    return "raise it: 'memlock' in /etc/security/limits.conf and log in again, LimitMEMLOCK=infinity"
        + " in a systemd unit, --ulimit memlock=-1 for a container";
  }
}
