package io.regionfs.verbs.device;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Looks for shared libraries where the dynamic linker usually does.
 *
 * @param root what stands for / (tests give their own)
 */
public record Libraries(Path root, Map<String, String> environment) {
  private static final List<String> DIRECTORIES =
      List.of(
          "lib",
          "usr/lib",
          "usr/local/lib",
          "lib64",
          "usr/lib64",
          "lib/x86_64-linux-gnu",
          "usr/lib/x86_64-linux-gnu",
          "lib/aarch64-linux-gnu",
          "usr/lib/aarch64-linux-gnu");

  public static final String VERBS = "libibverbs.so.1";
  public static final String CM = "librdmacm.so.1";

  public Libraries {
    environment = Map.copyOf(environment);
  }

  /** The first file of this name. */
  public Optional<Path> find(String name) {
    String more = Objects.requireNonNullElse(environment.get("LD_LIBRARY_PATH"), "");
    return Stream.concat(
            Stream.of(more.split(":", -1))
                .filter(directory -> directory.startsWith("/"))
                .map(directory -> directory.substring(1)),
            DIRECTORIES.stream())
        .map(directory -> root.resolve(directory).resolve(name))
        .filter(Files::isRegularFile)
        .findFirst();
  }

  /** What rdma-core's libraries lack, with the cure; empty: nothing. */
  public String missing() {
    if (find(VERBS).isEmpty()) {
      return VERBS + " is missing: apt-get install libibverbs1 ibverbs-providers librdmacm1";
    }
    return find(CM).isEmpty() ? CM + " is missing: apt-get install librdmacm1" : "";
  }
}
