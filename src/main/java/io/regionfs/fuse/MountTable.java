package io.regionfs.fuse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The mounts of this process's mount namespace. Source: proc(5), /proc/self/mountinfo. */
final class MountTable {
  /** The type in the table of what libfuse mounts with subtype=regionfs. */
  static final String TYPE = "fuse.regionfs";

  private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");
  private static final int DEVICE_FIELD = 2;
  private static final int MOUNT_POINT_FIELD = 4;

  private MountTable() {}

  /**
   * One line of the table.
   *
   * @param device major:minor, unique among the mounted filesystems
   */
  record Mount(String device, Path mountPoint, String type) {
    boolean isRegionFs() {
      return type.equals(TYPE);
    }
  }

  /** What one sees at this path: the topmost mount exactly there. */
  static Optional<Mount> at(Path mountPoint) throws IOException {
    Mount top = null;
    for (String line : Files.readAllLines(MOUNTINFO, StandardCharsets.ISO_8859_1)) {
      Mount mount = parse(line);
      if (mount.mountPoint.equals(mountPoint)) {
        top = mount;
      }
    }
    return Optional.ofNullable(top);
  }

  static Mount parse(String line) {
    String[] fields = line.split(" ", -1);
    int type = 1;
    while (!fields[type - 1].equals("-")) {
      type++;
    }
    return new Mount(
        fields[DEVICE_FIELD], Path.of(unescape(fields[MOUNT_POINT_FIELD])), fields[type]);
  }

  /** Blanks and backslashes stand as three octal digits; the bytes are UTF-8. */
  private static String unescape(String field) {
    StringBuilder bytes = new StringBuilder();
    int at = 0;
    while (at < field.length()) {
      char c = field.charAt(at++);
      if (c == '\\') {
        c = (char) Integer.parseInt(field.substring(at, at + 3), 8);
        at += 3;
      }
      bytes.append(c);
    }
    return new String(
        bytes.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }
}
