package io.regionfs.cli;

import java.io.IOException;

/** Removes what a node that was killed could not. */
final class Leftovers {
  private Leftovers() {}

  /** Its entry and, if its cluster is gone with it, the memory it lent. */
  static void remove(RunningMounts.Entry node, RunningMounts running) {
    try {
      if (node.ownsCluster()) {
        LentDirectory.remove(node.memoryDirectory());
      }
      running.remove(node);
    } catch (IOException e) {
      throw new CommandFailure(
          "cannot clean up after process " + node.pid() + ": " + Directories.reason(e), e);
    }
  }
}
