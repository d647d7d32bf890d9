package io.regionfs.fuse;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * What takes the requests of one mount, by whichever transport, and the threads that serve them.
 */
interface Reception {
  /**
   * Begins to take requests. The kernel's INIT has been answered.
   *
   * @throws RingsRefusedException if the kernel does not want this transport after all
   */
  void start() throws RingsRefusedException;

  /** Its pools of threads. */
  List<WorkerPool> pools();

  RequestService service();

  /**
   * From now on requests are refused, and threads end after the next one.
   *
   * @return whether threads that wait for a request end, too
   */
  boolean leave();

  /**
   * Waits for every thread, then closes what the kernel left open.
   *
   * @return false if some still run: they hold the channel
   */
  boolean join(Duration patience);

  /** Completes when the kernel sends no more requests and every thread has left its loop. */
  default CompletableFuture<Void> ended() {
    return CompletableFuture.allOf(
        pools().stream().map(WorkerPool::ended).toArray(CompletableFuture<?>[]::new));
  }

  default int threads() {
    return pools().stream().mapToInt(WorkerPool::threads).sum();
  }

  /** Requests that are being served now. */
  default int busy() {
    return pools().stream().mapToInt(WorkerPool::busy).sum();
  }
}
