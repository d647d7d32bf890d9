package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that take requests from one place and serve them. Somebody must always be waiting
 * there (say, reading /dev/fuse), or a blocked operation would also block the signal that could end
 * it: whoever takes a request while nobody else reads starts another thread. Threads that a while
 * of work did not need end again. Operations that have outlived {@link Interrupts#GRACE} do not
 * count against the limit, which bounds what runs, not what waits.
 *
 * <p>Taking and finishing a request costs two atomic updates; the lock is for threads that come and
 * go.
 */
final class WorkerPool {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerPool.class);
  private static final int MOST_THREADS = 1024;
  private static final long WINDOW_NANOS = Duration.ofSeconds(2).toNanos();

  private final Lanes lanes;
  private final RequestService service;
  private final Interrupts interrupts;
  private final ScheduledExecutorService clock;
  private final String name;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

  /** Threads that wait for a request, or are about to. */
  private final AtomicInteger idle = new AtomicInteger();

  /** The most requests at once in this window of time, about: it is updated without care. */
  private volatile int peak;

  private final AtomicLong windowEnd = new AtomicLong(System.nanoTime() + WINDOW_NANOS);
  private volatile int wanted;

  /** How many it begins with and always keeps. */
  private final int firstThreads;

  /** Changes only under the lock. */
  private final AtomicInteger total = new AtomicInteger();

  private volatile boolean closing;

  @GuardedBy("this")
  private final Set<Thread> threads = new HashSet<>();

  /** Threads that were told to leave and have not left. */
  @GuardedBy("this")
  private int leaving;

  @GuardedBy("this")
  private boolean watched;

  @GuardedBy("this")
  private boolean over;

  @GuardedBy("this")
  private long started;

  /** As many as may run: fewer than were asked for once a thread could not be had. */
  @GuardedBy("this")
  private int cap;

  /**
   * @param clock borrowed
   */
  WorkerPool(
      Lanes lanes,
      RequestService service,
      ScheduledExecutorService clock,
      int firstThreads,
      int maxThreads,
      String name) {
    this.lanes = lanes;
    this.service = service;
    this.clock = clock;
    this.interrupts = service.interrupts();
    this.firstThreads = firstThreads;
    this.wanted = firstThreads;
    this.cap = maxThreads;
    this.name = name;
  }

  /** Starts the first threads. The kernel's INIT has been answered. */
  synchronized void start() {
    for (int i = 0; i < Math.min(firstThreads, cap); i++) {
      startThread();
    }
  }

  /** Completes when the kernel sends no more requests and every thread has left its loop. */
  CompletableFuture<Void> ended() {
    return ended;
  }

  int threads() {
    return total.get();
  }

  /** Requests that are being served now. */
  int busy() {
    return Math.max(0, total.get() - idle.get());
  }

  /**
   * Each thread ends after its next request. While somebody waits for pages to be dropped they
   * stay: that takes as many requests as there are changed pages.
   */
  void leaveAfterNextRequest() {
    closing = true;
  }

  /**
   * Waits for every thread.
   *
   * @param deadline by {@link System#nanoTime}
   * @return false if some still run
   */
  boolean join(long deadline) {
    boolean interrupted = false;
    boolean all = true;
    for (Thread thread : snapshot()) {
      boolean joined = false;
      while (!joined) {
        try {
          long left = Math.max(1, (deadline - System.nanoTime()) / 1_000_000);
          thread.join(left);
          joined = true;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      all &= !thread.isAlive();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return all;
  }

  private synchronized List<Thread> snapshot() {
    return new ArrayList<>(threads);
  }

  /** The calling thread enters its loop. */
  Serving joined() {
    Serving serving = new Serving(Thread.currentThread());
    interrupts.add(serving);
    return serving;
  }

  /** The calling thread has a request that it will serve. */
  void received(Request request) {
    service.received(request);
  }

  void serve(Request request, Reply reply) {
    service.serve(request, reply);
  }

  /** The calling thread took a request. */
  void taken() {
    int waiting = idle.decrementAndGet();
    int busy = total.get() - waiting;
    if (busy > peak) {
      peak = busy;
    }
    if (waiting <= 0) {
      grow();
    }
  }

  /**
   * The calling thread finished its request.
   *
   * @return false if it has to leave: the mount ends or it is surplus
   */
  boolean served() {
    long now = System.nanoTime();
    long end = windowEnd.get();
    if (now - end > 0 && windowEnd.compareAndSet(end, now + WINDOW_NANOS)) {
      wanted = Math.max(firstThreads, peak + 1); // one to read while all those serve
      peak = 0;
    }
    if ((closing || (total.get() > wanted && lanes.mayShrink())) && mayLeave()) {
      return false;
    }
    idle.incrementAndGet();
    return true;
  }

  private synchronized boolean mayLeave() {
    if ((closing && service.droppingPages() == 0)
        || (total.get() - leaving > wanted && idle.get() > 0)) {
      leaving++;
      return true;
    }
    return false;
  }

  /** There will be no more requests. */
  synchronized void end() {
    over = true;
  }

  /**
   * The calling thread is out of its loop.
   *
   * @param told because {@link #served} said so
   * @param wasIdle it was waiting for a request
   */
  synchronized void left(Serving serving, boolean told, boolean wasIdle) {
    interrupts.remove(serving);
    threads.remove(Thread.currentThread());
    total.decrementAndGet();
    if (told) {
      leaving--;
    } else if (wasIdle) {
      idle.decrementAndGet();
    }
    if (!told && !over) {
      cap = Math.max(1, Math.min(cap, total.get())); // it failed, and so would the next
    }
    if (threads.isEmpty()) {
      if (!over && !closing) {
        LOG.error("The last FUSE thread ended: the mount is dead");
      }
      over = true;
      ended.complete(null);
    }
  }

  /** The calling thread is about to wait for requests that others have to serve. */
  void growIfNobodyReads() {
    if (idle.get() <= 0) {
      grow();
    }
  }

  private synchronized void grow() {
    if (idle.get() > 0 || over || (closing && service.droppingPages() == 0)) {
      return;
    }
    if (total.get() < cap || total.get() < Math.min(MOST_THREADS, cap + waiting())) {
      startThread();
    } else if (!watched) {
      watched = true;
      Future<?> unused =
          clock.schedule(this::growLater, Interrupts.GRACE.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** Threads that may wait for others' requests: they do not count against the limit. */
  private int waiting() {
    return interrupts.slow() + service.droppingPages();
  }

  private synchronized void growLater() {
    watched = false;
    grow();
  }

  @GuardedBy("this")
  private void startThread() {
    Worker worker = new Worker(this, lanes);
    Thread thread = new Thread(worker, name + "-" + ++started);
    thread.setDaemon(true);
    threads.add(thread);
    total.incrementAndGet();
    idle.incrementAndGet();
    try {
      thread.start();
    } catch (OutOfMemoryError e) {
      threads.remove(thread);
      total.decrementAndGet();
      idle.decrementAndGet();
      cap = Math.max(1, total.get());
      LOG.warn("No further FUSE thread can be started; {} go on", total, e);
    }
  }
}
