package io.regionfs.cli;

import io.regionfs.posix.MountTable;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Ends a mount and the node behind it. */
@Command(
    name = "umount",
    sortOptions = false,
    description = {
      "Unmount, and end the node behind the mount.",
      "%nReturns when both are gone. fusermount -u DIR, umount DIR and SIGTERM to the node do the"
          + " same without waiting. A stale mount, whose node was killed, is cleaned up.%n"
    })
final class UmountCommand implements Callable<Integer> {
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  @Parameters(paramLabel = "DIR", description = "Where RegionFS is mounted.")
  private Path directory = Path.of("");

  @Option(
      names = {"-l", "--lazy"},
      description =
          "Take the mount away now even if it is in use, and return; the node ends when its last"
              + " user is gone.")
  private boolean lazy;

  @Override
  public Integer call() throws InterruptedException {
    MountTable mounts = MountTable.now();
    Path mountPoint = Directories.mountPoint(directory, mounts);
    RunningMounts running = new RunningMounts(Directories.ofThisProcess().runtime());
    Optional<RunningMounts.Entry> node = running.at(mountPoint);
    if (node.isEmpty() && !mounts.isRegionFs(mountPoint)) {
      throw new CommandFailure(
          mountPoint + " is not a RegionFS mount of this user ('regionfs status' lists them)");
    }
    boolean alive = node.isPresent() && node.get().isRunning();
    if (mounts.isRegionFs(mountPoint)) {
      Unmounting.detach(mountPoint, lazy || !alive);
    }
    if (alive && !lazy) {
      Unmounting.awaitEnd(node.get(), DEADLINE);
    } else if (node.isPresent() && !alive) {
      Leftovers.remove(node.get(), running);
    }
    return Main.DONE;
  }
}
