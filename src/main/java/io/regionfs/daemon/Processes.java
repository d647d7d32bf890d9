package io.regionfs.daemon;

import io.regionfs.posix.ProcessWatch;

/** Processes by pid, told from later ones with the same number by when they started. */
final class Processes {
  private Processes() {}

  /**
   * When the process started, in clock ticks since boot; 0 if there is none. A zombie counts as
   * ended.
   */
  static long startOf(long pid) {
    return ProcessWatch.startOf(Math.toIntExact(pid));
  }

  static boolean isRunning(long pid, long start) {
    return start != 0 && startOf(pid) == start;
  }
}
