package io.regionfs.posix;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The mounts of this process's mount namespace, lowest first: asking it touches no filesystem.
 * Source: proc(5), /proc/self/mountinfo.
 */
public record MountTable(List<Mount> mounts) {
  /** The type in the table of what libfuse mounts with subtype=regionfs. */
  private static final String REGIONFS = "fuse.regionfs";

  private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");
  private static final int DEVICE_FIELD = 2;
  private static final int MOUNT_POINT_FIELD = 4;

  public MountTable {
    mounts = List.copyOf(mounts);
  }

  /**
   * One line of the table.
   *
   * @param device major:minor, unique among the mounted filesystems
   * @param type "ext4", "fuse.regionfs"
   * @param options of the filesystem, separated by commas
   */
  public record Mount(String device, Path mountPoint, String type, String options) {
    public boolean isRegionFs() {
      return type.equals(REGIONFS);
    }

    /** Empty for what is no line of the table. */
    static Optional<Mount> parse(String line) {
      // id parent device root mountpoint options [tags] - type source superoptions
      String[] halves = line.split(" - ", 2);
      String[] fields = halves[0].split(" ", -1);
      if (halves.length < 2 || fields.length <= MOUNT_POINT_FIELD) {
        return Optional.empty();
      }
      String[] filesystem = halves[1].split(" ", 3);
      return Optional.of(
          new Mount(
              fields[DEVICE_FIELD],
              Path.of(unescape(fields[MOUNT_POINT_FIELD])),
              filesystem[0],
              filesystem.length > 2 ? filesystem[2] : ""));
    }
  }

  public static MountTable now() {
    try {
      return parse(Files.readString(MOUNTINFO, StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A table as the kernel writes it, a byte a character. */
  public static MountTable parse(String mountinfo) {
    return new MountTable(mountinfo.lines().map(Mount::parse).flatMap(Optional::stream).toList());
  }

  /** What one sees at this path: the topmost mount exactly there. */
  public Optional<Mount> at(Path mountPoint) {
    return mounts.stream()
        .filter(mount -> mount.mountPoint().equals(mountPoint))
        .reduce((below, above) -> above);
  }

  /** The filesystem that a path without symbolic links is on. */
  public Optional<Mount> above(Path path) {
    return mounts.stream()
        .filter(mount -> path.startsWith(mount.mountPoint()))
        .reduce(
            (one, other) ->
                other.mountPoint().getNameCount() >= one.mountPoint().getNameCount() ? other : one);
  }

  public boolean contains(Path mountPoint) {
    return at(mountPoint).isPresent();
  }

  /** The topmost mount there is one of ours, alive or stale. */
  public boolean isRegionFs(Path mountPoint) {
    return at(mountPoint).filter(Mount::isRegionFs).isPresent();
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
