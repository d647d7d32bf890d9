package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the kernel holds for RDMA, and what this process has open of it.
 *
 * @param descriptors by what they refer to
 */
record Resources(String rdma, SortedMap<String, Integer> descriptors) {
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  static Resources now() throws IOException {
    String all = run("rdma", "resource", "show");
    try (DirectoryStream<Path> files = Files.newDirectoryStream(DESCRIPTORS)) {
      SortedMap<String, Integer> kinds = new TreeMap<>();
      for (Path file : files) {
        count(file, kinds);
      }
      return new Resources(all, kinds);
    }
  }

  private static void count(Path file, SortedMap<String, Integer> kinds) throws IOException {
    try {
      String target = Files.readSymbolicLink(file).toString();
      if (target.contains("infiniband")) {
        kinds.merge(target, 1, Integer::sum);
      }
    } catch (NoSuchFileException e) {
      assertThat(e).as("closed meanwhile").isNotNull();
    }
  }

  /** Of this process, after a collection. */
  static long residentKib() throws IOException {
    System.gc();
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException("no VmRSS");
  }

  static String run(String... command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.onExit().join();
    return said.strip();
  }
}
