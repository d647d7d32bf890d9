package io.regionfs.daemon;

import io.regionfs.posix.LibC;
import io.regionfs.posix.MountTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/**
 * Where things are unless the user says otherwise.
 *
 * <p>State (log, lock, identity): {@code /var/lib/regionfs/NAME} for root, else {@code
 * $XDG_STATE_HOME/regionfs/NAME} ({@code ~/.local/state}). What runs now: {@code /run/regionfs} for
 * root, else {@code $XDG_RUNTIME_DIR/regionfs} or {@code /tmp/regionfs-UID}; {@code
 * $REGIONFS_RUNTIME_DIR} overrides it. Lent memory: {@code /dev/shm/regionfs-UID-NAME}. NAME comes
 * from the mount point or, for memory, from the state directory.
 *
 * @param uid of this process
 */
public record Directories(int uid, Map<String, String> environment) {
  private static final int LONGEST_NAME = 120;

  public static Directories ofThisProcess() {
    return new Directories(LibC.INSTANCE.getuid(), System.getenv());
  }

  public Path state(Path mountPoint) {
    String name = nameOf(mountPoint);
    if (uid == 0) {
      return Path.of("/var/lib/regionfs", name);
    }
    String state = environment.get("XDG_STATE_HOME");
    Path base =
        state != null && state.startsWith("/")
            ? Path.of(state)
            : Path.of(
                Objects.requireNonNullElse(
                    environment.get("HOME"), System.getProperty("user.home", "/tmp")),
                ".local/state");
    return base.resolve("regionfs").resolve(name);
  }

  Path memory(Path stateDirectory) {
    return Path.of("/dev/shm/regionfs-" + uid + "-" + nameOf(stateDirectory));
  }

  public Path runtime() {
    String own = environment.get("REGIONFS_RUNTIME_DIR");
    if (own != null && own.startsWith("/")) {
      return Path.of(own);
    }
    if (uid == 0) {
      return Path.of("/run/regionfs");
    }
    String session = environment.get("XDG_RUNTIME_DIR");
    return session != null && Files.isDirectory(Path.of(session))
        ? Path.of(session, "regionfs")
        : Path.of("/tmp/regionfs-" + uid);
  }

  /** A path as one file name: readable, and different for different paths. */
  static String nameOf(Path path) {
    StringBuilder name = new StringBuilder();
    byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
    for (int i = 1; i < bytes.length; i++) {
      int c = bytes[i] & 0xff;
      if (c == '/') {
        name.append('-');
      } else if ((c < 0x80 && Character.isLetterOrDigit(c)) || c == '_' || c == '.') {
        name.append((char) c);
      } else {
        name.append(String.format("%%%02x", c));
      }
    }
    if (name.length() == 0) {
      return "-";
    }
    if (name.length() <= LONGEST_NAME) {
      return name.toString();
    }
    return name.substring(name.length() - LONGEST_NAME + 37) + "-" + UUID.nameUUIDFromBytes(bytes);
  }

  /**
   * Makes a directory that only this user can enter, if it is not there.
   *
   * @throws CommandFailure if it cannot be made, or belongs to someone else
   */
  public static Path makePrivate(Path directory) {
    try {
      Path parent = directory.getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      if (!Files.isDirectory(directory)) {
        Files.createDirectory(
            directory,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      Object owner = Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
      int self = LibC.INSTANCE.getuid();
      if (!Integer.valueOf(self).equals(owner) && self != 0) {
        throw new CommandFailure(directory + " belongs to another user: remove it");
      }
      return directory;
    } catch (IOException e) {
      throw new CommandFailure("cannot make directory " + directory + ": " + reason(e), e);
    }
  }

  /** What went wrong with a file, for people. */
  public static String reason(IOException e) {
    if (e instanceof java.nio.file.AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof java.nio.file.NoSuchFileException) {
      return "no such file or directory";
    }
    if (e instanceof java.nio.file.FileAlreadyExistsException) {
      return "it is there already and is not a directory";
    }
    String detail = e instanceof java.nio.file.FileSystemException f ? f.getReason() : null;
    String message = detail == null ? e.getMessage() : detail;
    return message == null ? e.toString() : message;
  }

  /**
   * The real path of a mount point. What is mounted there is not asked: it may be stale, or wait
   * for a host that is away.
   */
  public static Path mountPoint(Path path, MountTable mounts) {
    Path absolute = path.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    Path name = absolute.getFileName();
    if (parent == null || name == null) {
      return absolute;
    }
    try {
      Path candidate = parent.toRealPath().resolve(name);
      return mounts.contains(candidate) ? candidate : candidate.toRealPath();
    } catch (IOException e) {
      return absolute;
    }
  }
}
