package io.regionfs.metaserver.state;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.proto.Command;
import io.regionfs.proto.Reply;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;

/**
 * One copy of the namespace, shared by the log that applies commands, one after the other, and by
 * the questions of many threads. Nothing that runs under its lock waits for anything else.
 */
public final class Replica {
  private static final int SLICE = 512;

  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  @GuardedBy("lock")
  private Namespace namespace = new Namespace();

  private volatile ChangeListener listener = (command, reply, changed) -> {};

  public Replica() {
    // Loads what a snapshot needs, which takes longer than a snapshot may hold commands up.
    snapshot().close();
  }

  /** Told of what a command changed, before anyone can read it; must not wait. */
  public interface ChangeListener {
    /**
     * @param changed inodes of which attributes, xattrs or names changed; valid only in this call
     */
    void changed(Command command, Reply reply, Changes changed);
  }

  /** For the one listener. */
  public void listen(ChangeListener listener) {
    this.listener = listener;
  }

  /** Applies the next command of the log. */
  public Reply apply(Command command) {
    lock.writeLock().lock();
    try {
      Reply reply = namespace.apply(command);
      listener.changed(command, reply, namespace.changes());
      return reply;
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

  /**
   * The state as it stands now, to be written while commands go on. One at a time.
   *
   * @throws IllegalStateException if one is being written
   */
  public Snapshot snapshot() {
    return snapshot(SLICE);
  }

  /**
   * @param slice inodes and names that are taken without letting commands in between
   */
  Snapshot snapshot(int slice) {
    lock.writeLock().lock();
    try {
      if (namespace.mutations().isSaving()) {
        throw new IllegalStateException("a snapshot is being written");
      }
      return new SnapshotRun(lock, namespace, slice);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * Replaces the whole state by that of a snapshot; unchanged if it throws. The old state is there
   * until the new one is complete. The listener is not told.
   *
   * @throws IOException with what is wrong with it
   */
  public void restore(InputStream snapshot) throws IOException {
    replace(SnapshotReader.read(snapshot));
  }

  /** Begins anew, with the state in which every log begins. The listener is not told. */
  public void reset() {
    replace(new Namespace());
  }

  private void replace(Namespace other) {
    lock.writeLock().lock();
    try {
      namespace = other;
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** A state that is being written. */
  public interface Snapshot extends AutoCloseable {
    /** Call once, from any thread. */
    void writeTo(OutputStream out) throws IOException;

    /** Ends the keeping of what commands change meanwhile; a write under way fails. */
    @Override
    void close();
  }
}
