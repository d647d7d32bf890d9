package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.RunningMounts;
import io.regionfs.posix.LibC;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Takes mounts away, by the system call or by fusermount, whichever the user may use. */
final class Unmounting {
  private static final int EBUSY = 16;
  private static final int MOST_NAMED = 3;
  private static final long POLL_MILLIS = 20;

  private Unmounting() {}

  /**
   * @param lazy even if it is in use
   * @throws CommandFailure if it is in use, naming who does
   */
  static void detach(Path mountPoint, boolean lazy) {
    if (LibC.INSTANCE.getuid() != 0) {
      fusermount(mountPoint, lazy);
      return;
    }
    if (LibC.INSTANCE.umount2(mountPoint.toString(), lazy ? LibC.MNT_DETACH : 0) != 0) {
      int errno = LibC.errno();
      throw errno == EBUSY
          ? busy(mountPoint)
          : new CommandFailure("cannot unmount " + mountPoint + ": error " + errno);
    }
  }

  private static void fusermount(Path mountPoint, boolean lazy) {
    List<String> command = new ArrayList<>(List.of("fusermount", "-u"));
    if (lazy) {
      command.add("-z");
    }
    command.add("--");
    command.add(mountPoint.toString());
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(new File("/dev/null"))
              .start();
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (process.waitFor() != 0) {
        throw said.contains("busy") ? busy(mountPoint) : new CommandFailure(said);
      }
    } catch (IOException e) {
      throw new CommandFailure("cannot run fusermount: install fuse3 (" + e.getMessage() + ")", e);
    } catch (InterruptedException e) {
      throw new CommandFailure("interrupted", e);
    }
  }

  private static CommandFailure busy(Path mountPoint) {
    List<String> users = usersOf(mountPoint);
    return new CommandFailure(
        mountPoint
            + " is in use"
            + (users.isEmpty() ? "" : " by process " + String.join(", ", users))
            + ": end that, or unmount with --lazy");
  }

  /** Processes that work or have files open below; only those this user may look at. */
  private static List<String> usersOf(Path mountPoint) {
    List<String> users = new ArrayList<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        if (users.size() < MOST_NAMED && uses(process, mountPoint)) {
          users.add(process.getFileName() + " (" + nameOf(process) + ")");
        }
      }
    } catch (IOException e) {
      return users; // it is only for the message
    }
    return users;
  }

  private static String nameOf(Path process) throws IOException {
    return Files.readString(process.resolve("comm")).strip();
  }

  private static boolean uses(Path process, Path mountPoint) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(process.resolve("fd"))) {
      if (Files.readSymbolicLink(process.resolve("cwd")).startsWith(mountPoint)) {
        return true;
      }
      for (Path file : files) {
        if (Files.readSymbolicLink(file).startsWith(mountPoint)) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      return false; // ended meanwhile, or another user's
    }
  }

  /**
   * @throws CommandFailure if the node has not ended in time
   */
  static void awaitEnd(RunningMounts.Entry node, Duration deadline) throws InterruptedException {
    long end = System.nanoTime() + deadline.toNanos();
    while (node.isRunning()) {
      if (System.nanoTime() - end > 0) {
        throw new CommandFailure(
            node.mountPoint()
                + " is unmounted, but process "
                + node.pid()
                + " has not ended within "
                + deadline.toSeconds()
                + " s: see its log in "
                + node.stateDirectory());
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
    }
  }
}
