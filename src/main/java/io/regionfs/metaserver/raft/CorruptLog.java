package io.regionfs.metaserver.raft;

import java.io.IOException;
import java.nio.file.Path;

/**
 * What this replica keeps on its disk is damaged. It must not go on with a part of it: it would
 * forget what it acknowledged, or vote twice.
 */
public final class CorruptLog extends IOException {
  private static final String WAY_OUT =
      ". If other replicas have the data: stop this one, remove it with 'regionfs meta remove',"
          + " and start it with an empty state directory under a new id. A single replica needs a"
          + " copy of its state directory from before the damage";

  /**
   * @param where the damaged file or directory
   */
  CorruptLog(Path where, String damage) {
    super("damaged: " + where + ": " + damage + WAY_OUT);
  }
}
