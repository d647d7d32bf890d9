package io.regionfs.fs;

import io.regionfs.data.Regions;
import io.regionfs.meta.Export;
import io.regionfs.meta.Metadata;
import io.regionfs.model.Errno;
import io.regionfs.model.Exporter;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.posix.ProcessWatch;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files at home here that live as long as a process. When it ends, whatever ends it, the
 * metadata service takes their names away and tells who has them open, and their bytes go: after
 * {@link #BYTES_STAY} at the latest, also if the service does not answer.
 */
final class Exporters implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Exporters.class);
  private static final Duration BYTES_STAY = Duration.ofSeconds(2);
  private static final long RETRY_MILLIS = 1000;
  private static final int THREADS = 2;

  private final Metadata metadata;
  private final Regions regions;
  private final OpenInodes inodes;
  private final ProcessWatch watch = new ProcessWatch();
  private final Map<InodeId, Exporter> watched = new ConcurrentHashMap<>();

  /** Who opened a file for writing and has not closed it, by file. */
  private final Map<InodeId, Set<Writer>> writers = new ConcurrentHashMap<>();

  private final ScheduledThreadPoolExecutor executor =
      new ScheduledThreadPoolExecutor(
          THREADS,
          task -> {
            Thread thread = new Thread(task, "exporters");
            thread.setDaemon(true);
            return thread;
          });

  /** A file that a thread has opened for writing. Each is one of its own. */
  static final class Writer {
    private final int thread;

    private Writer(int thread) {
      this.thread = thread;
    }
  }

  /** All borrowed. */
  Exporters(Metadata metadata, Regions regions, OpenInodes inodes) {
    this.metadata = metadata;
    this.regions = regions;
    this.inodes = inodes;
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /**
   * The process that a thread belongs to. ESRCH if there is none, as of another process id
   * namespace.
   */
  static Exporter of(int thread) {
    int pid = thread <= 0 ? 0 : ProcessWatch.processOf(thread);
    long start = pid == 0 ? 0 : ProcessWatch.startOf(pid);
    if (start == 0) {
      throw new FsException(Errno.ESRCH, "this node sees no process " + thread);
    }
    return new Exporter(pid, start);
  }

  /**
   * Whom a file is to live as long as, if a thread says "owner": its own process if that has the
   * file open for writing, else another one that has. EINVAL if there is none.
   */
  Exporter ownerOf(InodeId inode, int caller) {
    int callers = ProcessWatch.processOf(caller);
    int other = 0;
    for (Writer writer : writers.getOrDefault(inode, Set.of())) {
      int process = ProcessWatch.processOf(writer.thread);
      if (process != 0 && process == callers) {
        return of(process);
      }
      other = other == 0 ? process : other;
    }
    if (other == 0) {
      throw new FsException(Errno.EINVAL, "no process here has it open for writing: say owner:PID");
    }
    return of(other);
  }

  /** A thread has opened the file for writing. */
  Writer opened(InodeId inode, int thread) {
    Writer writer = new Writer(thread);
    writers.compute(
        inode,
        (id, others) -> {
          Set<Writer> all = others == null ? ConcurrentHashMap.newKeySet(1) : others;
          all.add(writer);
          return all;
        });
    return writer;
  }

  /** It is closed; also if that was said before. */
  void closed(InodeId inode, Writer writer) {
    writers.computeIfPresent(
        inode,
        (id, all) -> {
          all.remove(writer);
          return all.isEmpty() ? null : all;
        });
  }

  /** The service knows that the file lives as long as this process. */
  void watch(InodeId inode, Exporter exporter) {
    Exporter before = watched.put(inode, exporter);
    if (!exporter.equals(before)) {
      watch.watch(exporter.pid(), exporter.start(), () -> gone(inode, exporter));
    }
  }

  /** The file lives until it is unlinked. */
  void unwatch(InodeId inode) {
    watched.remove(inode);
  }

  private void gone(InodeId inode, Exporter exporter) {
    if (exporter.equals(watched.get(inode))) {
      LOG.debug("process {} has ended, and inode {} with it", exporter.pid(), inode);
      after(0, () -> end(inode, exporter));
      after(BYTES_STAY.toMillis(), () -> endBytes(inode, exporter));
    }
  }

  private void after(long millis, Runnable task) {
    try {
      var unused = executor.schedule(task, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("the node ends, and what it exports with it", e);
    }
  }

  private void end(InodeId inode, Exporter exporter) {
    if (!exporter.equals(watched.get(inode))) {
      return;
    }
    try {
      Metadata.Removal unused = metadata.endExport(inode);
      inodes.ended(inode);
      endBytes(inode, exporter);
      watched.remove(inode, exporter);
    } catch (FsException e) {
      LOG.warn("inode {} whose exporter has ended still has a name: {}", inode, e.getMessage());
      after(RETRY_MILLIS, () -> end(inode, exporter));
    }
  }

  private void endBytes(InodeId inode, Exporter exporter) {
    if (exporter.equals(watched.get(inode))) {
      regions.end(inode);
    }
  }

  /**
   * At the start, and when this node has joined again: watches what the service says is exported
   * from here, and lets go of what it has ended. Does not wait.
   */
  void resume() {
    after(0, this::resumeNow);
  }

  private void resumeNow() {
    try {
      Set<InodeId> known = ConcurrentHashMap.newKeySet();
      for (Export export : metadata.exports()) {
        known.add(export.inode());
        watch(export.inode(), export.exporter());
      }
      for (InodeId inode : Set.copyOf(watched.keySet())) {
        if (!known.contains(inode) && isEnded(inode)) {
          watched.remove(inode);
          inodes.ended(inode);
          regions.end(inode);
        }
      }
    } catch (FsException e) {
      LOG.warn("what is exported from here is not known yet: {}", e.getMessage());
      after(RETRY_MILLIS, this::resumeNow);
    }
  }

  /** Another node changed something of an inode that is open here: it may have ended. */
  void recalled(InodeId inode) {
    if (inodes.pages(inode) != null) {
      after(0, () -> look(inode));
    }
  }

  private void look(InodeId inode) {
    try {
      if (isEnded(inode)) {
        inodes.ended(inode);
      }
    } catch (FsException e) {
      LOG.debug("whether inode {} was ended is not known: {}", inode, e.getMessage());
    }
  }

  /** Whether the file has ended, or is gone. */
  boolean isEnded(InodeId inode) {
    try {
      Export export = metadata.export(inode);
      return export != null && export.ended();
    } catch (FsException e) {
      if (e.errno() == Errno.ENOENT) {
        return true;
      }
      throw e;
    }
  }

  /** Nothing is ended any more: when the node leaves, the service ends all. */
  @Override
  public void close() {
    watch.close();
    executor.shutdownNow();
    try {
      if (!executor.awaitTermination(10, TimeUnit.SECONDS)) {
        LOG.warn("a thread still waits for the metadata service");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
