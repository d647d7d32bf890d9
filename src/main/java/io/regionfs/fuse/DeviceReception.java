package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;

/** Threads that read /dev/fuse. */
final class DeviceReception implements Reception {
  private static final int FIRST_THREADS = 2;

  private final FuseChannel channel;
  private final RequestService service;
  private final WorkerPool pool;

  /**
   * @param channel closed with this
   * @param clock borrowed
   */
  DeviceReception(
      FuseChannel channel, FileSystem fileSystem, ScheduledExecutorService clock, int maxThreads) {
    this.channel = channel;
    this.service = new RequestService(channel, fileSystem, clock);
    this.pool =
        new WorkerPool(
            () -> new DeviceLane(channel, fileSystem),
            service,
            clock,
            FIRST_THREADS,
            maxThreads,
            "fuse");
  }

  @Override
  public void start() {
    service.begin(pools());
    pool.start();
  }

  @Override
  public List<WorkerPool> pools() {
    return List.of(pool);
  }

  @Override
  public RequestService service() {
    return service;
  }

  @Override
  public boolean leave() {
    service.refuseAll();
    pool.leaveAfterNextRequest();
    return false;
  }

  @Override
  public boolean join(Duration patience) {
    if (!pool.join(System.nanoTime() + patience.toNanos()) || !service.close(patience)) {
      return false;
    }
    channel.close();
    return true;
  }
}
