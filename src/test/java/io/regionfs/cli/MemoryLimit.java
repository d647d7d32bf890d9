package io.regionfs.cli;

import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A control group whose processes, with the pages they read or make dirty, get so much memory. */
final class MemoryLimit implements AutoCloseable {
  private static final Path ROOT = Path.of("/sys/fs/cgroup");

  private final Path group;
  private final Path peak;

  MemoryLimit(long bytes) throws IOException {
    boolean first = Files.isDirectory(ROOT.resolve("memory"));
    Path parent = first ? ROOT.resolve("memory") : ROOT;
    assumeThat(parent.resolve("cgroup.procs")).as("control groups, to limit memory").isWritable();
    if (!first) {
      assumeThat(Files.readString(parent.resolve("cgroup.subtree_control")))
          .as("control groups that limit memory")
          .contains("memory");
    }
    group = Files.createDirectory(parent.resolve("regionfs-it-" + ProcessHandle.current().pid()));
    Files.writeString(
        group.resolve(first ? "memory.limit_in_bytes" : "memory.max"), Long.toString(bytes));
    peak = group.resolve(first ? "memory.max_usage_in_bytes" : "memory.peak");
  }

  /** The command that runs another one in the group. */
  Object[] with(Object... command) {
    List<Object> words =
        new ArrayList<>(
            List.of("sh", "-c", "echo $$ >\"$0\" && exec \"$@\"", group.resolve("cgroup.procs")));
    words.addAll(List.of(command));
    return words.toArray();
  }

  /** The most that it had, as far as the kernel tells. */
  long mostBytes() throws IOException {
    return Files.exists(peak) ? Long.parseLong(Files.readString(peak).strip()) : 0;
  }

  /** After the last of its processes. */
  @Override
  public void close() throws IOException {
    Files.delete(group);
  }
}
