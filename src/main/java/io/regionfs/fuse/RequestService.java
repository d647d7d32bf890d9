package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.model.Errno;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;

/**
 * Serves the requests of one mount, whichever way and thread they come by. For many threads, each
 * with its own {@link Request} and {@link Reply}.
 */
final class RequestService {
  private final KernelCaches caches;
  private final PassThrough passThrough;
  private final Dispatcher dispatcher;
  private final Interrupts interrupts;
  private volatile List<WorkerPool> pools = List.of();
  private volatile boolean refusing;

  /**
   * @param channel for what the kernel is told without being asked
   * @param clock borrowed
   */
  RequestService(FuseChannel channel, FileSystem fileSystem, ScheduledExecutorService clock) {
    this.interrupts = new Interrupts(clock);
    this.caches =
        new KernelCaches(fileSystem, channel, System::nanoTime, this::waits, interrupts::received);
    this.passThrough = new PassThrough(channel, fileSystem);
    this.dispatcher = new Dispatcher(fileSystem, caches, passThrough, interrupts);
  }

  /**
   * The kernel's INIT has been answered.
   *
   * @param servedBy whose threads serve
   */
  void begin(List<WorkerPool> servedBy) {
    pools = List.copyOf(servedBy);
    passThrough.begin();
    caches.begin();
  }

  /** Programs can use the mount from now on. */
  void mountedAt(Path mountPoint) {
    caches.mountedAt(mountPoint);
  }

  /** The calling thread is about to wait for requests that others have to serve. */
  private void waits() {
    for (WorkerPool pool : pools) {
      pool.growIfNobodyReads();
    }
  }

  /** Files that the kernel uses itself now. */
  int passedFiles() {
    return passThrough.files();
  }

  /** How many threads wait for the kernel to drop pages, which takes requests. */
  int droppingPages() {
    return caches.droppingPages();
  }

  Interrupts interrupts() {
    return interrupts;
  }

  /** From now on every request is refused. */
  void refuseAll() {
    caches.stopDroppingPages();
    refusing = true;
  }

  /** A thread has a request that it will serve: to be noted before any other can be told of it. */
  void received(Request request) {
    caches.pageWrites().begin(request);
  }

  void serve(Request request, Reply reply) {
    long unique = request.unique();
    try {
      if (Nudge.is(request)) {
        reply.begin(unique);
        reply.error(Errno.ENODATA);
      } else if (refusing) {
        dispatcher.refuse(request, reply);
      } else {
        dispatcher.serve(request, reply);
      }
    } finally {
      caches.pageWrites().end(unique);
    }
  }

  /**
   * Ends what waits for locks, then closes what the kernel left open. No thread serves any more.
   *
   * @return false if something still waits: it will use the channel
   */
  boolean close(Duration patience) {
    if (!dispatcher.endWaits(patience)) {
      return false;
    }
    caches.close();
    dispatcher.close();
    return true;
  }
}
