package io.regionfs.cli;

import picocli.CommandLine.Option;

/** {@code --help}, mixed into every command. */
final class HelpOption {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  private boolean wanted;

  boolean wanted() {
    return wanted;
  }
}
