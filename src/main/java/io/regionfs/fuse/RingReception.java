package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Threads that wait for requests in rings: a pool for each possible CPU, pinned there, as the
 * kernel has a queue for each and wants at least one entry in all. One more pool reads /dev/fuse,
 * where FORGET and INTERRUPT still go.
 */
final class RingReception implements Reception {
  private static final Path POSSIBLE = Path.of("/sys/devices/system/cpu/possible");
  private static final int READY_SECONDS = 10;
  private static final int SWEEP_SECONDS = 5;
  private static final Duration PAGES = Duration.ofSeconds(2);

  private final StoppableChannel channel;
  private final RequestService service;
  private final ScheduledExecutorService clock;
  private final Affinity affinity = new Affinity();
  private final List<RingLanes> queues = new ArrayList<>();
  private final List<WorkerPool> pools = new ArrayList<>();

  /**
   * @param fuse /dev/fuse, borrowed: it will not block any more
   * @param clock borrowed
   */
  RingReception(
      int fuse,
      Path mountPoint,
      FileSystem fileSystem,
      ScheduledExecutorService clock,
      int maxThreads)
      throws IOException {
    int cpus = possibleCpus();
    this.channel = new StoppableChannel(fuse);
    this.clock = clock;
    this.service = new RequestService(channel, fileSystem, clock);
    pools.add(
        new WorkerPool(() -> new DeviceLane(channel, fileSystem), service, clock, 1, 1, "fuse"));
    for (int cpu = 0; cpu < cpus; cpu++) {
      RingLanes lanes =
          new RingLanes(
              fuse, cpu, channel.stopDescriptor(), fileSystem, affinity, () -> ask(mountPoint));
      queues.add(lanes);
      pools.add(new WorkerPool(lanes, service, clock, 1, maxThreads, "fuse-cpu" + cpu));
    }
  }

  private static void ask(Path mountPoint) {
    try (Nudge nudge = new Nudge(mountPoint)) {
      nudge.ask();
    }
  }

  /** As many queues as the kernel makes: "0-3" is four. */
  static int possibleCpus() throws IOException {
    String[] bounds = Files.readString(POSSIBLE).strip().split("[-,]", -1);
    return Integer.parseInt(bounds[bounds.length - 1]) + 1;
  }

  @Override
  public void start() throws RingsRefusedException {
    service.begin(pools);
    pools.forEach(WorkerPool::start);
    for (RingLanes lanes : queues) {
      try {
        lanes.ready().get(READY_SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new RingsRefusedException("interrupted", e);
      } catch (ExecutionException e) {
        throw new RingsRefusedException(String.valueOf(e.getCause()), e);
      } catch (TimeoutException e) {
        throw new RingsRefusedException("a queue is not ready after seconds", e);
      }
    }
    Future<?> unused =
        clock.scheduleWithFixedDelay(
            affinity::sweep, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
  }

  @Override
  public List<WorkerPool> pools() {
    return pools;
  }

  @Override
  public RequestService service() {
    return service;
  }

  @Override
  public boolean leave() {
    service.refuseAll();
    pools.forEach(WorkerPool::leaveAfterNextRequest);
    long deadline = System.nanoTime() + PAGES.toNanos();
    while (service.droppingPages() > 0 && System.nanoTime() - deadline < 0) {
      try {
        TimeUnit.MILLISECONDS.sleep(5);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    channel.stop();
    return true;
  }

  @Override
  public boolean join(Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    boolean all = true;
    for (WorkerPool pool : pools) {
      all &= pool.join(deadline);
    }
    all = all && service.close(patience);
    for (RingLanes lanes : queues) {
      all = all && lanes.release(deadline);
    }
    if (all) {
      channel.close();
    }
    return all;
  }
}
