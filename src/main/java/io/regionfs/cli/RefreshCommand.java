package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Directories;
import io.regionfs.daemon.RunningMounts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Brings mappings of files up to date. */
@Command(
    name = "refresh",
    sortOptions = false,
    description = {
      "Bring mappings of files on this host up to date.",
      "%nWhat programs here have stored through mappings of the files is written to their homes;"
          + " what other hosts have written since is in the mappings when this returns. A program"
          + " does the same with getxattr of user.regionfs.refresh, or by taking a lock.%n"
    })
final class RefreshCommand implements Callable<Integer> {
  /** Also in the attribute's name after "user.". */
  private static final String ATTRIBUTE = "regionfs.refresh";

  @Parameters(paramLabel = "PATH", arity = "1..*", description = "Files in RegionFS mounts.")
  private List<Path> paths = List.of();

  @Override
  public Integer call() {
    RunningMounts running = new RunningMounts(Directories.ofThisProcess().runtime());
    for (Path path : paths) {
      try {
        refresh(path, running);
      } catch (IOException e) {
        throw new CommandFailure(path + ": " + Directories.reason(e), e);
      }
    }
    return Main.DONE;
  }

  private static void refresh(Path path, RunningMounts running) throws IOException {
    Path real = path.toRealPath();
    if (running.above(real).isEmpty()) {
      throw new CommandFailure(real + " is not in a RegionFS mount of this user");
    }
    if (!Files.isRegularFile(real)) {
      throw new CommandFailure(real + " is not a file: only files are mapped");
    }
    Files.getFileAttributeView(real, UserDefinedFileAttributeView.class)
        .read(ATTRIBUTE, ByteBuffer.allocate(1));
  }
}
