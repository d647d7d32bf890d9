package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Directories;
import io.regionfs.daemon.KeptFiles;
import io.regionfs.daemon.RunningMounts;
import io.regionfs.posix.MountTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Ends a mount and the node behind it. */
@Command(
    name = "umount",
    sortOptions = false,
    description = {
      "Unmount, and end the node behind the mount.",
      "%nReturns when both are gone. fusermount -u DIR, umount DIR and SIGTERM to the node do the"
          + " same without waiting. A stale mount, whose node was killed, is cleaned up.",
      "%nA mount without --meta keeps its files, if it has any, for the next mount with the same"
          + " state directory: names on disk, bytes in memory. --discard removes them.%n"
    })
final class UmountCommand implements Callable<Integer> {
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "DIR", description = "Where RegionFS is, or was, mounted.")
  private Path directory = Path.of("");

  @Option(
      names = {"-l", "--lazy"},
      description =
          "Take the mount away now even if it is in use, and return; the node ends when its last"
              + " user is gone.")
  private boolean lazy;

  @Option(
      names = "--discard",
      description =
          "Remove all that the mount keeps: its names, and the memory it lends. Of a node that"
              + " joined a cluster with --meta, the files whose home it is are lost.")
  private boolean discard;

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      description = "With --discard, of a mount that has ended: what it was mounted with.")
  private @Nullable Path stateDirectory;

  @Override
  public Integer call() throws InterruptedException {
    if (lazy && discard) {
      throw wrong("--lazy does not wait for the end, so it goes not with --discard");
    }
    if (stateDirectory != null && !discard) {
      throw wrong("--state-dir goes with --discard");
    }
    MountTable mounts = MountTable.now();
    Path mountPoint = Directories.mountPoint(directory, mounts);
    RunningMounts running = new RunningMounts(Directories.ofThisProcess().runtime());
    Optional<RunningMounts.Entry> node = running.at(mountPoint);
    if (node.isEmpty() && !mounts.isRegionFs(mountPoint)) {
      ended(mountPoint);
      return Main.DONE;
    }
    boolean alive = node.isPresent() && node.get().isRunning();
    if (mounts.isRegionFs(mountPoint)) {
      Unmounting.detach(mountPoint, lazy || !alive);
    }
    if (alive && !lazy) {
      Unmounting.awaitEnd(node.get(), DEADLINE);
    }
    if (node.isPresent() && !(alive && lazy)) {
      finish(node.get(), running, alive);
    }
    return Main.DONE;
  }

  /** The mount is gone already: only what it kept can be meant. */
  private void ended(Path mountPoint) {
    Path state =
        stateDirectory == null
            ? Directories.ofThisProcess().state(mountPoint)
            : stateDirectory.toAbsolutePath().normalize();
    if (!discard || !Files.isDirectory(state)) {
      throw new CommandFailure(
          mountPoint
              + " is not a RegionFS mount of this user ('regionfs status' lists them)"
              + (discard ? ", and there is no state directory " + state : ""));
    }
    KeptFiles.discard(state, null);
  }

  private void finish(RunningMounts.Entry node, RunningMounts running, boolean ended) {
    Path state = node.stateDirectory();
    if (discard) {
      KeptFiles.discard(state, node.memoryDirectory());
    }
    if (!ended) {
      forget(node, running);
    }
    if (discard || !node.ownsCluster()) {
      return;
    }
    String way =
        "; mount again to use them, 'regionfs umount --discard "
            + node.mountPoint()
            + (state.equals(Directories.ofThisProcess().state(node.mountPoint()))
                ? ""
                : " --state-dir " + state)
            + "' frees them";
    if (!ended) {
      note(node);
      say("its node was killed: its files are kept in " + node.memoryDirectory() + way);
    } else {
      KeptFiles.in(state).ifPresent(kept -> say(kept.text() + way));
    }
  }

  /** So that a later --discard finds the memory, as the node's entry is gone. */
  private static void note(RunningMounts.Entry node) {
    try {
      KeptFiles.noteOfKilled(node.stateDirectory(), node.memoryDirectory());
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot note what is kept in "
              + node.memoryDirectory()
              + ": "
              + Directories.reason(e)
              + "; to free it, remove that directory",
          e);
    }
  }

  /** Its entry, which a node that was killed could not remove. */
  private static void forget(RunningMounts.Entry node, RunningMounts running) {
    try {
      running.remove(node);
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot clean up after process " + node.pid() + ": " + Directories.reason(e), e);
    }
  }

  private void say(String text) {
    if (spec != null) {
      PrintWriter out = spec.commandLine().getOut();
      out.println(text);
      out.flush();
    }
  }

  private RuntimeException wrong(String text) {
    return spec == null
        ? new CommandFailure(text)
        : new ParameterException(spec.commandLine(), text);
  }
}
