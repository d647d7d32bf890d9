package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.fs.LockRequest;
import io.regionfs.fs.OpenFile;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request that waits for a lock, in a thread of its own, which answers it. May be interrupted
 * by any thread from when it was made.
 */
final class LockWait implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(LockWait.class);

  private final Interrupts interrupts;
  private final OpenFile file;
  private final LockRequest request;
  private final Reply reply;

  @GuardedBy("this")
  private @Nullable Thread thread;

  /** What an interrupted wait ends with; null while it is not. */
  @GuardedBy("this")
  private @Nullable Errno interrupted;

  /**
   * @param file borrowed: the kernel keeps it open until the reply
   * @param reply this closes it
   */
  LockWait(Interrupts interrupts, OpenFile file, LockRequest request, Reply reply) {
    this.interrupts = interrupts;
    this.file = file;
    this.request = request;
    this.reply = reply;
  }

  long unique() {
    return reply.unique();
  }

  /** Ends the waiting with this error. */
  synchronized void interrupt(Errno errno) {
    interrupted = errno;
    if (thread != null) {
      thread.interrupt();
    }
  }

  @Override
  public void run() {
    try (reply) {
      begin();
      Errno refusal = refusal();
      Errno interruption = end();
      if (refusal == Errno.EINTR && interruption != null) {
        refusal = interruption;
      }
      boolean unused = refusal == null ? reply.send() : reply.error(refusal);
    }
  }

  private @Nullable Errno refusal() {
    try {
      file.lock(request, true);
      return null;
    } catch (FsException e) {
      LOG.debug("{}: {}", request, e.getMessage());
      return e.errno();
    } catch (Throwable e) {
      LOG.error("{} failed: EIO", request, e);
      return Errno.EIO;
    }
  }

  private synchronized void begin() {
    thread = Thread.currentThread();
    if (interrupted != null) {
      thread.interrupt();
    }
  }

  /** From here on no interrupt reaches the thread, and none is left behind. */
  private @Nullable Errno end() {
    interrupts.remove(this);
    synchronized (this) {
      thread = null;
      boolean unused = Thread.interrupted();
      return interrupted;
    }
  }
}
