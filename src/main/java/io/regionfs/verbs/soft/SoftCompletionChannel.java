package io.regionfs.verbs.soft;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.ibm.disni.verbs.IbvCompChannel;
import com.ibm.disni.verbs.IbvContext;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Where threads wait for completions. A waiting thread serves the connections that can bring it one
 * itself, so that a completion costs no extra wake-up; those that other threads serve wake it
 * through an eventfd. Its monitor is innermost: nothing is called while it is held.
 */
final class SoftCompletionChannel extends IbvCompChannel {
  /** A waiter that would have to watch more connections leaves them to their own threads. */
  private static final int MAX_DRIVEN = 16;

  private static final int POLLFD_BYTES = 8;
  private static final int EFD_SEMAPHORE_NONBLOCK = 1 | 04000;
  private static final LibC C = LibC.INSTANCE;

  /** What one waiting thread works with. */
  private static final class Waiter {
    final long polled = Memory.allocate((long) (MAX_DRIVEN + 1) * POLLFD_BYTES + 8);
    final @Nullable Link[] driven = new Link[MAX_DRIVEN];
    int count;
  }

  private final int wake;

  @GuardedBy("this")
  private int pending;

  @GuardedBy("this")
  private int waiting;

  @GuardedBy("this")
  private boolean destroyed;

  @GuardedBy("this")
  private final ArrayDeque<Waiter> idle = new ArrayDeque<>();

  private volatile SoftCompletionQueue[] queues = new SoftCompletionQueue[0];

  SoftCompletionChannel(IbvContext context) throws IOException {
    super(-1, context);
    wake = TcpSocket.check(C.eventfd(0, LibC.O_CLOEXEC | EFD_SEMAPHORE_NONBLOCK), "eventfd");
  }

  synchronized void attach(SoftCompletionQueue queue) {
    SoftCompletionQueue[] more = Arrays.copyOf(queues, queues.length + 1);
    more[queues.length] = queue;
    queues = more;
  }

  synchronized void detach(SoftCompletionQueue queue) {
    queues = Arrays.stream(queues).filter(q -> q != queue).toArray(SoftCompletionQueue[]::new);
  }

  /** An armed queue got a completion. */
  void signal() {
    synchronized (this) {
      pending++;
      if (waiting > 0) {
        wakeOne();
      }
    }
  }

  @GuardedBy("this")
  private void wakeOne() {
    Waiter scratch = idle.isEmpty() ? new Waiter() : idle.pop();
    Memory.putLong(scratch.polled, 1);
    C.write(wake, scratch.polled, 8);
    idle.push(scratch);
  }

  /** Waits for an event and takes it; false after the timeout. Negative: waits for ever. */
  boolean await(int timeoutMillis) throws IOException {
    long deadline = System.nanoTime() + timeoutMillis * 1_000_000L;
    Waiter waiter;
    synchronized (this) {
      if (take()) {
        return true;
      }
      if (timeoutMillis == 0) {
        return false;
      }
      waiting++;
      waiter = idle.isEmpty() ? new Waiter() : idle.pop();
    }
    try {
      for (; ; ) {
        takeOver(waiter);
        try {
          boolean steady = true;
          while (steady) {
            steady = waitOnce(waiter, timeoutMillis < 0 ? -1 : deadline - System.nanoTime());
            synchronized (this) {
              if (take()) {
                return true;
              }
            }
            if (timeoutMillis >= 0 && System.nanoTime() - deadline >= 0) {
              return false;
            }
          }
        } finally {
          handBack(waiter);
        }
      }
    } finally {
      release(waiter);
    }
  }

  private synchronized void release(Waiter waiter) {
    waiting--;
    idle.push(waiter);
    if (destroyed && waiting == 0) {
      closeNow();
    }
  }

  /** Takes a pending event. */
  @GuardedBy("this")
  private boolean take() throws IOException {
    if (destroyed) {
      throw new IOException("completion channel is destroyed");
    }
    if (pending == 0) {
      return false;
    }
    pending--;
    return true;
  }

  /** Becomes the reader of the connections that nobody reads at the moment. */
  private void takeOver(Waiter waiter) {
    waiter.count = 0;
    int pairs = 0;
    for (SoftCompletionQueue queue : queues) {
      pairs += queue.pairs().length;
    }
    if (pairs > 2 * MAX_DRIVEN) {
      return;
    }
    for (SoftCompletionQueue queue : queues) {
      for (SoftQueuePair pair : queue.pairs()) {
        Link link = pair.link();
        if (link != null && waiter.count < MAX_DRIVEN && link.drive()) {
          waiter.driven[waiter.count++] = link;
        }
      }
    }
  }

  private void handBack(Waiter waiter) {
    for (int i = 0; i < waiter.count; i++) {
      Link link = waiter.driven[i];
      waiter.driven[i] = null;
      if (link != null) {
        link.handBack();
      }
    }
    waiter.count = 0;
  }

  /** Waits for news and deals with it; false if the set of connections should be looked at anew. */
  private boolean waitOnce(Waiter waiter, long nanos) {
    long set = waiter.polled;
    watch(set, wake);
    for (int i = 0; i < waiter.count; i++) {
      Link link = waiter.driven[i];
      watch(set + (long) (i + 1) * POLLFD_BYTES, link == null ? -1 : link.descriptor());
    }
    int millis =
        nanos == -1 ? -1 : (int) Math.min(Integer.MAX_VALUE, Math.max(0, nanos) / 1_000_000 + 1);
    int ready = C.poll(set, waiter.count + 1, millis);
    if (ready <= 0) {
      return true;
    }
    boolean steady = true;
    if (Memory.getShort(set + 6) != 0) {
      C.read(wake, set + (long) (MAX_DRIVEN + 1) * POLLFD_BYTES, 8);
    }
    for (int i = 0; i < waiter.count; i++) {
      Link link = waiter.driven[i];
      if (link != null && Memory.getShort(set + (long) (i + 1) * POLLFD_BYTES + 6) != 0) {
        steady &= link.progressDriven();
      }
    }
    return steady;
  }

  private static void watch(long pollfd, int fd) {
    Memory.putInt(pollfd, fd);
    Memory.putInt(pollfd + 4, LibC.POLLIN);
  }

  /** Ends all waiting with an exception. */
  synchronized void destroy() {
    close();
    if (destroyed) {
      return;
    }
    destroyed = true;
    if (waiting == 0) {
      closeNow();
      return;
    }
    for (int i = 0; i < waiting; i++) {
      wakeOne();
    }
  }

  @GuardedBy("this")
  private void closeNow() {
    C.close(wake);
    for (Waiter waiter : idle) {
      Memory.free(waiter.polled);
    }
    idle.clear();
  }
}
