package io.regionfs.metaserver.raft;

import java.time.Duration;

/**
 * The last snapshot this replica took.
 *
 * @param count of snapshots since the log was opened
 * @param pause for which commands waited for it
 * @param writing how long it was written, while commands went on
 * @param bytes of its file
 */
public record TakenSnapshot(long count, Duration pause, Duration writing, long bytes) {
  static final TakenSnapshot NONE = new TakenSnapshot(0, Duration.ZERO, Duration.ZERO, 0);
}
