package io.regionfs.region;

import java.nio.file.Path;

/**
 * How much a host lends, and where from.
 *
 * @param directory on tmpfs, used by this node alone, made if missing; its regions outlive the
 *     process
 * @param files where the regions' bytes are: the directory, or one below it that is a tmpfs of its
 *     own
 * @param budgetBytes most bytes of regions at once; more is ENOSPC
 * @param hugePages whether what is dense becomes huge pages, if the files may have them
 * @param pinBudgetBytes most bytes registered for other hosts at once
 * @param maxExposures most pieces registered for other hosts at once
 * @param maxMappings most pieces mapped at once, above maxExposures; the kernel allows 65,530
 *     mappings in a process (vm.max_map_count), and the JVM needs some
 */
public record LentMemoryOptions(
    Path directory,
    Path files,
    long budgetBytes,
    boolean hugePages,
    long pinBudgetBytes,
    int maxExposures,
    int maxMappings) {
  public static final int DEFAULT_MAX_EXPOSURES = 8 << 10;
  public static final int DEFAULT_MAX_MAPPINGS = 16 << 10;

  public LentMemoryOptions {
    if (budgetBytes < 0) {
      throw new IllegalArgumentException("budgetBytes must not be negative: " + budgetBytes);
    }
    if (pinBudgetBytes < 2 * Pages.BYTES) {
      throw new IllegalArgumentException(
          "pinBudgetBytes must be at least two pages: " + pinBudgetBytes);
    }
    if (maxExposures < 2 || maxMappings < 1) {
      throw new IllegalArgumentException(
          "maxExposures must be at least 2 and maxMappings 1: "
              + maxExposures
              + ", "
              + maxMappings);
    }
  }

  /** With the regions' bytes in the directory itself. */
  public LentMemoryOptions(
      Path directory, long budgetBytes, long pinBudgetBytes, int maxExposures, int maxMappings) {
    this(directory, directory, budgetBytes, false, pinBudgetBytes, maxExposures, maxMappings);
  }

  /** With the usual limits of exposures and mappings. */
  public LentMemoryOptions(Path directory, long budgetBytes, long pinBudgetBytes) {
    this(directory, budgetBytes, pinBudgetBytes, DEFAULT_MAX_EXPOSURES, DEFAULT_MAX_MAPPINGS);
  }
}
