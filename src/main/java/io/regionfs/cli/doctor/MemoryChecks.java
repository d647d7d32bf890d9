package io.regionfs.cli.doctor;

import io.regionfs.daemon.Directories;
import io.regionfs.daemon.Sizes;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** Memory to lend, and disk for the state. */
record MemoryChecks(Machine machine) {
  private static final long SMALL_MEMORY = 256L << 20;
  private static final long SMALL_DISK = 256L << 20;
  private static final String HUGE_PAGES = "sys/kernel/mm/transparent_hugepage/shmem_enabled";

  List<Finding> examine() {
    return List.of(sharedMemory(), hugePages(), state());
  }

  private Finding sharedMemory() {
    try {
      FileStore store = Files.getFileStore(machine.path("dev/shm"));
      String found =
          Sizes.format(store.getUsableSpace())
              + " free of "
              + Sizes.format(store.getTotalSpace())
              + " in /dev/shm ("
              + store.type()
              + ")";
      return store.getUsableSpace() >= SMALL_MEMORY
          ? Finding.ok("memory", found)
          : Finding.warn(
              "memory",
              found + ": little to lend",
              "mount -o remount,size=50% /dev/shm; docker run --shm-size=4g; or --memory-dir on"
                  + " another tmpfs");
    } catch (IOException e) {
      return Finding.warn(
          "memory",
          "/dev/shm: " + Directories.reason(e),
          "mount -t tmpfs tmpfs /dev/shm, or give --memory-dir on another tmpfs");
    }
  }

  /** Nobody needs them, so nothing is amiss without. */
  private Finding hugePages() {
    Path file = machine.path(HUGE_PAGES);
    if (!Files.exists(file)) {
      return Finding.ok("huge pages", "this kernel has none for tmpfs");
    }
    try {
      String policy = Files.readString(file).strip();
      return Finding.ok(
          "huge pages",
          policy.contains("[deny]")
              ? "/" + HUGE_PAGES + " forbids them"
              : "for what files fill, where the node may mount (see mount --huge-pages)");
    } catch (IOException e) {
      return Finding.ok("huge pages", "unknown: " + Directories.reason(e));
    }
  }

  /** Where the metadata service of a mount keeps its log. */
  private Finding state() {
    Path state =
        new Directories(machine.uid(), machine.environment()).state(Path.of("/x")).getParent();
    Path there = machine.path(Objects.requireNonNull(state).toString().substring(1));
    while (!Files.exists(there) && there.getParent() != null) {
      there = there.getParent();
    }
    try {
      long free = Files.getFileStore(there).getUsableSpace();
      String found = Sizes.format(free) + " free for state in " + state;
      return free >= SMALL_DISK
          ? Finding.ok("state", found)
          : Finding.warn(
              "state",
              found + ": below 64 MiB a metadata service takes no changes",
              "make room, or give --state-dir on another disk");
    } catch (IOException e) {
      return Finding.warn("state", state + ": " + Directories.reason(e), "give --state-dir");
    }
  }
}
