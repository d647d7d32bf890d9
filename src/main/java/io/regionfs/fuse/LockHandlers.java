package io.regionfs.fuse;

import io.regionfs.fs.LockRequest;
import io.regionfs.fs.LockRequest.Kind;
import io.regionfs.fs.OpenFile;
import io.regionfs.fuse.RequestLayout.Lock;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Requests about locks. Who has to wait for one gets a thread of its own ({@link LockWait}): a lock
 * may be waited for as long as a program likes, and neither a thread that serves requests nor its
 * buffers shall be held by that. So there is always one for the request that ends a lock.
 */
final class LockHandlers {
  private static final int MOST_WAITS = 10_000;
  private static final int KEEP_ALIVE_SECONDS = 2;
  private static final long STACK_BYTES = 256 * 1024;

  private static final int F_RDLCK = 0;
  private static final int F_WRLCK = 1;
  private static final int F_UNLCK = 2;

  private final FileHandlers files;
  private final Interrupts interrupts;
  private final AtomicLong started = new AtomicLong();
  private final ThreadPoolExecutor waiters =
      new ThreadPoolExecutor(
          0,
          MOST_WAITS,
          KEEP_ALIVE_SECONDS,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          this::newThread);

  /** Both borrowed. */
  LockHandlers(FileHandlers files, Interrupts interrupts) {
    this.files = files;
    this.interrupts = interrupts;
  }

  private Thread newThread(Runnable task) {
    Thread thread = new Thread(null, task, "fuse-lock-" + started.incrementAndGet(), STACK_BYTES);
    thread.setDaemon(true);
    return thread;
  }

  /** F_GETLK, which asks whether the lock could be had. */
  void getlk(Request in, Reply out) {
    LockRequest asked = request(in);
    LockRequest found = files.file(in).conflicting(asked);
    LockRequest told = found == null ? asked : found;
    out.int64(ReplyLayout.Lock.FIRST, told.first());
    out.int64(ReplyLayout.Lock.LAST, told.last());
    out.int32(ReplyLayout.Lock.TYPE, found == null ? F_UNLCK : type(found.kind()));
    out.int32(ReplyLayout.Lock.PID, told.pid());
    out.send(ReplyLayout.Lock.END);
  }

  void setlk(Request in, Reply out) {
    files.file(in).lock(request(in), false);
    out.send();
  }

  /** The same, waiting. */
  void setlkw(Request in, Reply out) {
    OpenFile file = files.file(in);
    LockRequest wanted = request(in);
    try {
      file.lock(wanted, false);
    } catch (FsException e) {
      if (e.errno() != Errno.EAGAIN) {
        throw e;
      }
      startWait(file, wanted, out);
      return;
    }
    out.send();
  }

  private void startWait(OpenFile file, LockRequest wanted, Reply out) {
    Reply reply = out.handOver();
    LockWait wait = new LockWait(interrupts, file, wanted, reply);
    interrupts.add(wait);
    try {
      waiters.execute(wait);
    } catch (RejectedExecutionException | OutOfMemoryError e) {
      interrupts.remove(wait);
      boolean unused = reply.error(Errno.ENOLCK);
      reply.close();
    }
  }

  private static LockRequest request(Request in) {
    return new LockRequest(
        in.int64(Lock.OWNER),
        (in.int32(Lock.FLAGS) & Lock.FLOCK) != 0,
        kind(in.int32(Lock.TYPE)),
        in.offset(Lock.FIRST),
        in.offset(Lock.LAST),
        in.int32(Lock.PID));
  }

  private static Kind kind(int type) {
    return switch (type) {
      case F_RDLCK -> Kind.SHARED;
      case F_WRLCK -> Kind.EXCLUSIVE;
      case F_UNLCK -> Kind.UNLOCK;
      default -> throw new FsException(Errno.EINVAL, "lock of type " + type);
    };
  }

  private static int type(Kind kind) {
    return switch (kind) {
      case SHARED -> F_RDLCK;
      case EXCLUSIVE -> F_WRLCK;
      case UNLOCK -> F_UNLCK;
    };
  }

  /**
   * Interrupts what waits; none may begin any more.
   *
   * @return false if something still waits
   */
  boolean endWaits(Duration patience) {
    interrupts.interruptAll();
    waiters.shutdown();
    try {
      return waiters.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return waiters.isTerminated();
    }
  }
}
