package io.regionfs.cli.doctor;

import io.regionfs.cli.doctor.Finding.Verdict;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What a mount needs. */
record FuseChecks(Machine machine) {
  private static final int SET_USER_ID = 04000;

  List<Finding> examine() {
    return List.of(device(), library(), fusermount());
  }

  private Finding device() {
    Path device = machine.path("dev/fuse");
    if (!Files.exists(device)) {
      return Finding.fail(
          "fuse device",
          "/dev/fuse is not there",
          "modprobe fuse; in a container: start it with --device /dev/fuse --cap-add SYS_ADMIN");
    }
    try {
      new RandomAccessFile(device.toFile(), "rw").close();
      return Finding.ok("fuse device", "/dev/fuse can be opened");
    } catch (IOException e) {
      return Finding.fail(
          "fuse device",
          "/dev/fuse cannot be opened: " + e.getMessage(),
          "as root: chmod 666 /dev/fuse; in a container: start it with --device /dev/fuse");
    }
  }

  private Finding library() {
    String library = System.mapLibraryName("fuse") + ".2";
    return machine
        .libraries()
        .find(library)
        .map(path -> Finding.ok("fuse library", path.toString()))
        .orElseGet(
            () ->
                Finding.fail(
                    "fuse library",
                    library + " is in no library directory",
                    "apt-get install libfuse2"));
  }

  private Finding fusermount() {
    Verdict without = machine.uid() == 0 ? Verdict.WARN : Verdict.FAIL;
    Optional<Path> program = machine.onPath("fusermount").or(() -> machine.onPath("fusermount3"));
    if (program.isEmpty()) {
      return new Finding(
          "fusermount", without, "not on the PATH", "apt-get install fuse3 (only users need it)");
    }
    try {
      Object mode = Files.getAttribute(program.get(), "unix:mode");
      if ((((Integer) mode) & SET_USER_ID) == 0) {
        return new Finding(
            "fusermount",
            without,
            program.get() + " is not set-user-id: only root can mount",
            "as root: chmod u+s " + program.get());
      }
    } catch (IOException e) {
      return new Finding("fusermount", without, program.get() + ": " + e.getMessage(), "");
    }
    if (!Files.exists(machine.path("etc/mtab"))) {
      return new Finding(
          "fusermount",
          without,
          "no /etc/mtab: it cannot unmount for a user",
          "as root: ln -s ../proc/self/mounts /etc/mtab");
    }
    return Finding.ok("fusermount", program.get().toString());
  }
}
