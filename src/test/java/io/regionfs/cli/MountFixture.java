package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.regionfs.daemon.Json;
import io.regionfs.daemon.KeptFiles;
import io.regionfs.daemon.LentDirectory;
import io.regionfs.daemon.RunningMounts;
import io.regionfs.posix.LibC;
import io.regionfs.posix.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Mounts in a directory of their own, apart from all others of this machine. Closing it takes away
 * whatever a failed test left, and says so by failing.
 */
@SuppressWarnings("try") // closed by tests, which may be interrupted
final class MountFixture implements AutoCloseable {
  final Path directory;
  final Shell shell;
  final RunningMounts running;

  MountFixture() throws IOException {
    assumeThat(Files.isWritable(Path.of("/dev/fuse")))
        .as("/dev/fuse may be opened by this user")
        .isTrue();
    directory = Files.createTempDirectory("regionfs-it").toRealPath();
    Path runtime = Files.createDirectory(directory.resolve("run"));
    shell = new Shell(Map.of("REGIONFS_RUNTIME_DIR", runtime.toString()));
    running = new RunningMounts(runtime);
  }

  Path newMountPoint(String name) throws IOException {
    return Files.createDirectory(directory.resolve(name));
  }

  Path stateOf(Path mountPoint) {
    return directory.resolve("state-" + mountPoint.getFileName());
  }

  /** The command line of a small node with its own state directory. */
  Object[] mountCommand(Path mountPoint, Object... more) {
    List<Object> command = new ArrayList<>(List.of("mount", mountPoint));
    command.addAll(List.of("--state-dir", stateOf(mountPoint)));
    command.addAll(List.of("--memory=256M", "--name=" + mountPoint.getFileName()));
    command.addAll(FabricUnderTest.mountOptions());
    command.addAll(List.of(more));
    return command.toArray();
  }

  Shell.Result mount(Path mountPoint, Object... more) throws IOException, InterruptedException {
    return shell.regionfs(mountCommand(mountPoint, more));
  }

  RunningMounts.Entry node(Path mountPoint) {
    return running.at(mountPoint).orElseThrow();
  }

  Map<?, ?> status(Path mountPoint) throws IOException, InterruptedException {
    return Json.parseObject(
        shell.regionfs("status", "--json", mountPoint).succeeded().out().strip());
  }

  static void kill(RunningMounts.Entry node) throws InterruptedException {
    LibC.INSTANCE.kill(Math.toIntExact(node.pid()), 9);
    Shell.await("the killed node is gone", () -> !node.isRunning());
  }

  /** Unmounts, and drops the files. */
  Shell.Result discard(Path mountPoint) throws IOException, InterruptedException {
    return shell.regionfs("umount", "--discard", mountPoint);
  }

  /** Nothing of this node is left: no process, no mount, no memory, no names, no entry. */
  void assertGone(RunningMounts.Entry node) {
    assertThat(node.isRunning()).as("process %s runs", node.pid()).isFalse();
    assertThat(MountTable.now().contains(node.mountPoint())).as("mounted").isFalse();
    assertThat(node.memoryDirectory()).doesNotExist();
    assertThat(node.stateDirectory().resolve(KeptFiles.METADATA)).doesNotExist();
    assertThat(node.controlSocket()).doesNotExist();
    assertThat(running.at(node.mountPoint())).isEmpty();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    List<RunningMounts.Entry> left = running.all();
    for (RunningMounts.Entry node : left) {
      if (node.isRunning()) {
        LibC.INSTANCE.kill(Math.toIntExact(node.pid()), 9);
        Shell.await("node is gone", () -> !node.isRunning());
      }
    }
    for (MountTable.Mount mount : MountTable.now().mounts()) {
      if (mount.mountPoint().startsWith(directory)) {
        Unmounting.detach(mount.mountPoint(), true);
      }
    }
    for (RunningMounts.Entry node : left) {
      LentDirectory.remove(node.memoryDirectory());
    }
    shell.run("rm", "-rf", "--one-file-system", directory);
    assertThat(left).as("mounts that the test left").isEmpty();
  }
}
