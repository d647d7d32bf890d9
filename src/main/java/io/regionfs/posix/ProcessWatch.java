package io.regionfs.posix;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears of the end of processes that are not this one's children, whatever ends them: by their
 * descriptors (pidfd_open(2)), and where there are none by looking several times a second. A thread
 * of its own calls back. For any thread.
 */
public final class ProcessWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessWatch.class);
  private static final LibC C = LibC.INSTANCE;
  private static final int PIDFD_OPEN = 434;
  private static final int NO_DESCRIPTOR = -1;
  private static final int POLLFD_BYTES = 8;
  private static final short POLLIN = 1;
  private static final int EFD_CLOEXEC = 02000000;
  private static final int LOOK_AGAIN_MILLIS = 200;
  private static final long JOIN_MILLIS = 10_000;

  /** Wakes the thread. */
  private final int event;

  private final Thread thread;

  @GuardedBy("this")
  private final List<Watched> all = new ArrayList<>();

  private volatile boolean closed;

  private record Watched(int pid, long start, int descriptor, Runnable ended) {
    boolean isRunning() {
      return ProcessWatch.isRunning(pid, start);
    }
  }

  public ProcessWatch() {
    event = C.eventfd(0, EFD_CLOEXEC);
    if (event < 0) {
      throw new IllegalStateException("eventfd: errno " + LibC.errno());
    }
    thread = new Thread(this::run, "process-watch");
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * When the process started, in clock ticks since boot; 0 if there is none. A zombie counts as
   * ended.
   */
  public static long startOf(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      // The second field is the program's name in brackets and may itself contain both.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return fields[0].equals("Z") || fields[0].equals("X") ? 0 : Long.parseLong(fields[19]);
    } catch (IOException e) {
      return 0;
    }
  }

  /**
   * Whether it is the process that was meant, and no later one with the same number.
   *
   * @param start as {@link #startOf} gave it
   */
  public static boolean isRunning(long pid, long start) {
    return start != 0 && startOf(pid) == start;
  }

  /** The process of a thread; 0 if there is none. */
  public static int processOf(int thread) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc", Integer.toString(thread), "status"))) {
        if (line.startsWith("Tgid:")) {
          return Integer.parseInt(line.substring("Tgid:".length()).strip());
        }
      }
    } catch (IOException e) {
      LOG.debug("thread {} is gone", thread, e);
    }
    return 0;
  }

  /**
   * Calls back once, when the process has ended; at once, from the caller's thread, if it has ended
   * already.
   *
   * @param start as {@link #startOf} gave it
   */
  public void watch(int pid, long start, Runnable ended) {
    int descriptor = (int) C.syscall(PIDFD_OPEN, pid, 0, 0, 0, 0, 0);
    Watched one = new Watched(pid, start, descriptor < 0 ? NO_DESCRIPTOR : descriptor, ended);
    // After it was opened: a descriptor may be a later process's, this comparison tells.
    if (!one.isRunning()) {
      closeDescriptor(one);
      ended.run();
      return;
    }
    synchronized (this) {
      all.add(one);
    }
    wake();
  }

  private static void closeDescriptor(Watched one) {
    if (one.descriptor != NO_DESCRIPTOR) {
      C.close(one.descriptor);
    }
  }

  private void wake() {
    long one = Memory.allocate(Long.BYTES);
    try {
      Memory.putLong(one, 1);
      C.write(event, one, Long.BYTES);
    } finally {
      Memory.free(one);
    }
  }

  private void run() {
    while (!closed) {
      List<Watched> now;
      synchronized (this) {
        now = List.copyOf(all);
      }
      for (Watched one : now) {
        if (!one.isRunning()) {
          ended(one);
        }
      }
      if (!closed) {
        await();
      }
    }
  }

  private void ended(Watched one) {
    synchronized (this) {
      all.remove(one);
    }
    closeDescriptor(one);
    try {
      one.ended.run();
    } catch (RuntimeException e) {
      LOG.error("the end of process {} could not be told", one.pid, e);
    }
  }

  /** Until a process has ended, or there is another one to watch, or it is time to look again. */
  private void await() {
    List<Watched> now;
    synchronized (this) {
      now = List.copyOf(all);
    }
    boolean looks = now.stream().anyMatch(one -> one.descriptor == NO_DESCRIPTOR);
    long polled = Memory.allocate((long) POLLFD_BYTES * (now.size() + 1));
    try {
      put(polled, event);
      int count = 1;
      for (Watched one : now) {
        if (one.descriptor != NO_DESCRIPTOR) {
          put(polled + (long) POLLFD_BYTES * count++, one.descriptor);
        }
      }
      C.poll(polled, count, looks ? LOOK_AGAIN_MILLIS : -1);
      if (Memory.getShort(polled + POLLFD_BYTES - Short.BYTES) != 0) {
        C.read(event, polled, Long.BYTES);
      }
    } finally {
      Memory.free(polled);
    }
  }

  private static void put(long polled, int descriptor) {
    Memory.putInt(polled, descriptor);
    Memory.putShort(polled + Integer.BYTES, POLLIN);
    Memory.putShort(polled + Integer.BYTES + Short.BYTES, (short) 0);
  }

  /** Calls back no more. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    wake();
    boolean interrupted = Thread.interrupted();
    try {
      thread.join(JOIN_MILLIS);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    synchronized (this) {
      all.forEach(ProcessWatch::closeDescriptor);
      all.clear();
    }
    C.close(event);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
