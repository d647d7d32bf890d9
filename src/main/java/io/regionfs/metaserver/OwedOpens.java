package io.regionfs.metaserver;

import io.regionfs.proto.Operation;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Opens and closes of files that are only read, answered while the log had no room for them: so
 * files can be read then. They enter the log before the next command that it takes, so a file is
 * not removed under who reads it. A leader that ends forgets them: then that may happen.
 *
 * <p>Not safe for use by several threads.
 */
final class OwedOpens {
  /** Beyond it such files are not opened. */
  private static final int MOST = 100_000;

  /** The last of each, as an open or close says all about its node and inode. */
  private final Map<Reader, Operation> owed = new LinkedHashMap<>();

  private record Reader(long inode, int node) {}

  /** Whether it may be owed: it neither begins nor ends a write session. */
  static boolean covers(Operation operation) {
    return switch (operation.getOperationCase()) {
      case OPEN -> !operation.getOpen().getWrite();
      case CLOSE -> !operation.getClose().getWrite() && !operation.getClose().hasSettled();
      default -> false;
    };
  }

  /** False if too many are owed already. */
  boolean owe(Operation operation) {
    Reader reader =
        operation.hasOpen()
            ? new Reader(operation.getOpen().getInode(), operation.getOpen().getNode())
            : new Reader(operation.getClose().getInode(), operation.getClose().getNode());
    if (owed.size() >= MOST && !owed.containsKey(reader)) {
      return false;
    }
    owed.put(reader, operation);
    return true;
  }

  /** In the order in which they were owed; what has entered the log is removed. */
  Iterator<Operation> all() {
    return owed.values().iterator();
  }
}
