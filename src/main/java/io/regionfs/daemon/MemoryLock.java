package io.regionfs.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** How much memory a process may lock (RLIMIT_MEMLOCK), as registering with a device does. */
public final class MemoryLock {
  private MemoryLock() {}

  /** How much this process may lock in memory, and so register with an RDMA device. */
  public static long lockableBytes() throws IOException {
    String limit = limit(Path.of("/proc/self/limits"));
    return limit.matches("\\d+") ? Long.parseLong(limit) : Long.MAX_VALUE;
  }

  /** "unlimited", or bytes. */
  public static String limit(Path limits) throws IOException {
    try (Stream<String> lines = Files.lines(limits)) {
      String line = lines.filter(l -> l.startsWith("Max locked memory")).findFirst().orElse("");
      String[] words = line.split(" +", -1);
      return words.length > 3 ? words[3] : "unknown";
    }
  }
}
