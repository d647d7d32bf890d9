package io.regionfs.fuse;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One thread that takes requests and serves them, until the mount ends or it is surplus. */
final class Worker implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

  private final WorkerPool pool;
  private final Lanes lanes;

  Worker(WorkerPool pool, Lanes lanes) {
    this.pool = pool;
    this.lanes = lanes;
  }

  @Override
  public void run() {
    Serving serving = pool.joined();
    boolean idle = true;
    boolean told = false;
    try (Lane lane = lanes.open()) {
      while (!told) {
        if (!lane.receive()) {
          pool.end();
          return;
        }
        idle = false;
        Request request = lane.request();
        pool.received(request);
        // Marked before another thread can read the INTERRUPT for it.
        serving.begin(request.unique());
        lane.noted();
        pool.taken();
        pool.serve(request, lane.reply());
        lane.settle();
        serving.end();
        told = !pool.served();
        idle = !told;
      }
    } catch (Throwable e) {
      LOG.error("A FUSE thread ended; the others go on", e);
    } finally {
      pool.left(serving, told, idle);
    }
  }
}
