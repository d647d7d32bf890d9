package io.regionfs.metaserver;

import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;

/**
 * One copy of the namespace, shared by the log that applies commands, one after the other, and by
 * the questions of many threads. Nothing that runs under its lock waits for anything else.
 */
public final class Replica {
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private final Namespace namespace = new Namespace();

  /** Applies the next command of the log. */
  public Reply apply(Command command) {
    lock.writeLock().lock();
    try {
      return namespace.apply(command);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Asks something of the state as it stands between two commands. */
  public <T> T read(Function<Namespace, T> question) {
    lock.readLock().lock();
    try {
      return question.apply(namespace);
    } finally {
      lock.readLock().unlock();
    }
  }
}
