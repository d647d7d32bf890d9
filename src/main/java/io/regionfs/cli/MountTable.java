package io.regionfs.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What is mounted, as /proc/self/mountinfo says: asking it touches no filesystem. */
record MountTable(List<Entry> entries) {
  /**
   * @param type "ext4", "fuse.regionfs"
   */
  record Entry(Path mountPoint, String type, String source) {}

  MountTable {
    entries = List.copyOf(entries);
  }

  static MountTable now() {
    try {
      return parse(Files.readString(Path.of("/proc/self/mountinfo"), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static MountTable parse(String mountinfo) {
    List<Entry> entries = new ArrayList<>();
    for (String line : mountinfo.split("\n", -1)) {
      // id parent device root mountpoint options [tags] - type source superoptions
      String[] halves = line.split(" - ", 2);
      String[] left = halves[0].split(" ", -1);
      if (halves.length == 2 && left.length >= 5) {
        String[] right = halves[1].split(" ", -1);
        entries.add(
            new Entry(
                Path.of(unescape(left[4])), right[0], right.length > 1 ? unescape(right[1]) : ""));
      }
    }
    return new MountTable(entries);
  }

  boolean contains(Path mountPoint) {
    return entries.stream().anyMatch(entry -> entry.mountPoint().equals(mountPoint));
  }

  /** The topmost mount there is one of ours, alive or stale. */
  boolean isRegionFs(Path mountPoint) {
    return entries.stream()
        .filter(entry -> entry.mountPoint().equals(mountPoint))
        .reduce((below, above) -> above)
        .filter(entry -> entry.type().equals("fuse.regionfs"))
        .isPresent();
  }

  /** The kernel writes blanks and backslashes as \ooo. */
  private static String unescape(String text) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && i + 3 < text.length()) {
        out.append((char) Integer.parseInt(text.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }
}
