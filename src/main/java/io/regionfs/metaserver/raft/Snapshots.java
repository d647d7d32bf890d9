package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import io.regionfs.metaserver.state.Replica;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state in files. Taking it stops the commands only for a moment; it is written by another
 * thread while they go on.
 */
final class Snapshots {
  private static final Logger LOG = LoggerFactory.getLogger(Snapshots.class);
  private static final int BUFFER_BYTES = 256 << 10;

  /** Of an executor that has ended; the engine takes only EIO for the end of its own work. */
  private static final RaftError FAILED = RaftError.ECANCELED;

  private final Replica replica;
  private final ExecutorService writerThread;
  private volatile TakenSnapshot last = TakenSnapshot.NONE;
  private volatile @Nullable IOException unreadable;
  private volatile String trouble = "";

  Snapshots(Replica replica, ExecutorService writerThread) {
    this.replica = replica;
    this.writerThread = writerThread;
  }

  TakenSnapshot last() {
    return last;
  }

  /** Why the last could not be written; empty: it could. */
  String trouble() {
    return trouble;
  }

  /** Why {@link #load} failed. */
  @Nullable IOException unreadable() {
    return unreadable;
  }

  /** In the thread that applies commands. */
  void save(SnapshotWriter writer, Closure done) {
    long started = System.nanoTime();
    Replica.Snapshot snapshot;
    try {
      snapshot = replica.snapshot();
    } catch (RuntimeException e) {
      LOG.error("Could not take a snapshot", e);
      done.run(new Status(FAILED, "could not take a snapshot: %s", e));
      return;
    }
    Duration pause = Duration.ofNanos(System.nanoTime() - started);
    try {
      writerThread.execute(() -> done.run(write(snapshot, writer, pause)));
    } catch (RejectedExecutionException e) {
      snapshot.close();
      done.run(new Status(FAILED, "the log is closed"));
    }
  }

  private Status write(Replica.Snapshot snapshot, SnapshotWriter writer, Duration pause) {
    long started = System.nanoTime();
    Path file = Path.of(writer.getPath(), SealedSnapshots.STATE);
    try (snapshot;
        FileOutputStream out = new FileOutputStream(file.toFile());
        OutputStream buffered = new BufferedOutputStream(out, BUFFER_BYTES)) {
      snapshot.writeTo(buffered);
      buffered.flush();
      out.getFD().sync();
    } catch (IOException | RuntimeException e) {
      LOG.error("Could not write a snapshot to {}", file, e);
      trouble = "cannot write a snapshot: " + e;
      return new Status(FAILED, trouble);
    }
    if (!writer.addFile(SealedSnapshots.STATE)) {
      return new Status(FAILED, "the engine refused %s", file);
    }
    trouble = "";
    Duration writing = Duration.ofNanos(System.nanoTime() - started);
    last = new TakenSnapshot(last.count() + 1, pause, writing, file.toFile().length());
    return Status.OK();
  }

  /**
   * Puts a snapshot in place of the state.
   *
   * @return the index of the last entry in it
   * @throws CorruptLog if it is damaged; the state is as it was
   */
  long load(SnapshotReader reader) throws IOException {
    try {
      @Nullable SnapshotMeta meta = reader.load();
      Path state = Path.of(reader.getPath(), SealedSnapshots.STATE);
      if (meta == null) {
        throw new CorruptLog(Path.of(reader.getPath()), "its list of files cannot be read");
      }
      SealedSnapshots.check(reader, meta);
      restore(state);
      return meta.getLastIncludedIndex();
    } catch (IOException e) {
      unreadable = e;
      throw e;
    }
  }

  private void restore(Path state) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(state), BUFFER_BYTES)) {
      replica.restore(in);
    } catch (IOException e) {
      throw new CorruptLog(state, String.valueOf(e.getMessage()));
    }
  }
}
