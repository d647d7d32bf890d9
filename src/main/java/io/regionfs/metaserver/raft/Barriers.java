package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.closure.ReadIndexClosure;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Read barriers, shared: one is on its way, and those who come meanwhile share the next one, as one
 * that began before a reader came may miss what was answered before it came.
 */
final class Barriers {
  private static final byte[] NO_CONTEXT = {};

  private final long timeoutMillis;

  @GuardedBy("this")
  private @Nullable Node node;

  @GuardedBy("this")
  private boolean running;

  @GuardedBy("this")
  private @Nullable CompletableFuture<Void> next;

  Barriers(long timeoutMillis) {
    this.timeoutMillis = timeoutMillis;
  }

  synchronized void attach(Node newNode) {
    node = newNode;
  }

  /** From now on barriers fail; the one on its way ends with the engine. */
  void detach() {
    synchronized (this) {
      node = null;
    }
    failNext();
  }

  CompletableFuture<Void> pass() {
    CompletableFuture<Void> mine;
    synchronized (this) {
      if (node == null) {
        return CompletableFuture.failedFuture(new NotLeading("the log is closed"));
      }
      if (next == null) {
        next = new CompletableFuture<>();
      }
      mine = next;
      if (!running) {
        start();
      }
    }
    return mine;
  }

  @GuardedBy("this")
  private void start() {
    CompletableFuture<Void> passed = next;
    if (passed == null || node == null) {
      return;
    }
    next = null;
    running = true;
    try {
      node.readIndex(NO_CONTEXT, new Passage(this, passed, timeoutMillis));
    } catch (IllegalStateException e) {
      node = null; // It is closing, and tells the passage so from another thread.
    }
  }

  private void ended() {
    boolean closed;
    synchronized (this) {
      running = false;
      start();
      closed = node == null;
    }
    if (closed) {
      failNext();
    }
  }

  private void failNext() {
    CompletableFuture<Void> failed;
    synchronized (this) {
      failed = next;
      next = null;
    }
    if (failed != null) {
      failed.completeExceptionally(new NotLeading("the log is closed"));
    }
  }

  private static final class Passage extends ReadIndexClosure {
    private final Barriers barriers;
    private final CompletableFuture<Void> passed;

    Passage(Barriers barriers, CompletableFuture<Void> passed, long timeoutMillis) {
      super(timeoutMillis);
      this.barriers = barriers;
      this.passed = passed;
    }

    @Override
    public void run(Status status, long index, byte[] context) {
      barriers.ended();
      if (status.isOk()) {
        passed.complete(null);
      } else {
        passed.completeExceptionally(new NotLeading(status.toString()));
      }
    }
  }
}
