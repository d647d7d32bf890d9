package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.fs.FileSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The lanes of one CPU's queue of FUSE over io_uring. The kernel gives a request to the lane that
 * was free last, so the others only cost memory; but it takes no lane back while mounted.
 *
 * <p>For many threads.
 */
final class RingLanes implements Lanes {
  /** A lane and the thread that is pinned for it. */
  private record Opened(RingLane lane, int thread) {}

  private final int fuse;
  private final int cpu;
  private final int stop;
  private final FileSystem fileSystem;
  private final Affinity affinity;
  private final Runnable nudge;
  private final CompletableFuture<Void> ready = new CompletableFuture<>();

  @GuardedBy("this")
  private final List<Opened> opened = new ArrayList<>();

  /**
   * @param stop an eventfd that ends all waiting
   * @param nudge makes a request that comes to this queue, if run by a thread on its CPU
   */
  RingLanes(int fuse, int cpu, int stop, FileSystem fileSystem, Affinity affinity, Runnable nudge) {
    this.fuse = fuse;
    this.cpu = cpu;
    this.stop = stop;
    this.fileSystem = fileSystem;
    this.affinity = affinity;
    this.nudge = nudge;
  }

  /** Completes when the kernel has the first lane; fails if it does not want it. */
  CompletableFuture<Void> ready() {
    return ready;
  }

  @Override
  public Lane open() {
    try {
      int thread = Affinity.thisThread();
      affinity.pin(cpu, thread);
      RingLane lane = new RingLane(fuse, cpu, stop, fileSystem);
      int errno = lane.register();
      if (errno != 0) {
        lane.release();
        throw new IOException("the kernel refuses a queue for CPU " + cpu + ": errno " + errno);
      }
      synchronized (this) {
        opened.add(new Opened(lane, thread));
      }
      if (!ready.complete(null)) {
        nudge();
      }
      return lane;
    } catch (IOException e) {
      ready.completeExceptionally(e);
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      ready.completeExceptionally(e);
      throw e;
    }
  }

  /**
   * Requests that came while no lane was free do not come by themselves to a new one, but when a
   * lane has answered something. The new thread is on this thread's CPU, as the request must be.
   */
  private void nudge() {
    Thread thread = new Thread(nudge, "fuse-nudge-" + cpu);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public boolean mayShrink() {
    return false;
  }

  /**
   * Frees the lanes whose threads are gone, waiting for those that are about to go.
   *
   * @param deadline by {@link System#nanoTime}
   * @return false if the kernel may still use some
   */
  synchronized boolean release(long deadline) {
    for (Iterator<Opened> all = opened.iterator(); all.hasNext(); ) {
      Opened one = all.next();
      while (Affinity.isAlive(one.thread())) {
        if (System.nanoTime() - deadline > 0) {
          return false;
        }
        try {
          TimeUnit.MILLISECONDS.sleep(1);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return false;
        }
      }
      one.lane().release();
      affinity.forget(one.thread());
      all.remove();
    }
    return true;
  }
}
