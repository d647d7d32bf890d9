package io.regionfs.posix;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Whether files of a directory are made of huge pages. Source: tmpfs(5), option huge. */
public final class HugePages {
  /** Size of one, on x86-64. */
  public static final long BYTES = 2L << 20;

  private static final String OPTION = "huge=";

  private HugePages() {}

  /** The mount's policy: "always", "within_size", "advise", or "never" if it has none. */
  public static String policyOf(Path directory) throws IOException {
    return policyOf(directory.toRealPath(), MountTable.now());
  }

  static String policyOf(Path directory, MountTable mounts) {
    Optional<MountTable.Mount> mount = mounts.above(directory);
    if (mount.filter(one -> one.type().equals("hugetlbfs")).isPresent()) {
      return "always";
    }
    return mount.stream()
        .flatMap(one -> Arrays.stream(one.options().split(",", -1)))
        .filter(option -> option.startsWith(OPTION))
        .map(option -> option.substring(OPTION.length()))
        .findFirst()
        .orElse("never");
  }

  /** Memory that is reserved before anybody maps it is huge: advise comes too late. */
  public static boolean isHuge(String policy) {
    return policy.equals("always") || policy.equals("within_size");
  }
}
