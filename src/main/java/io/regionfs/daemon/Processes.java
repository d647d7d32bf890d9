package io.regionfs.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Processes by pid, told from later ones with the same number by when they started. */
final class Processes {
  private Processes() {}

  /**
   * When the process started, in clock ticks since boot; 0 if there is none. A zombie counts as
   * ended.
   */
  static long startOf(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      // The second field is the program's name in brackets and may itself contain both.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return fields[0].equals("Z") || fields[0].equals("X") ? 0 : Long.parseLong(fields[19]);
    } catch (IOException e) {
      return 0;
    }
  }

  static boolean isRunning(long pid, long start) {
    return start != 0 && startOf(pid) == start;
  }
}
