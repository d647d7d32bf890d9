package io.regionfs.meta;

import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.proto.EndLocks;
import io.regionfs.proto.FileLock;
import io.regionfs.proto.LockKind;
import io.regionfs.proto.LockReply;
import io.regionfs.proto.LockState;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's calls about locks. Who waits for one is told by the leader when its turn has come, and
 * asks again from time to time, as that may get lost. What a caller gives up with an unknown
 * outcome is brought to an end behind it, and the same owner asks for nothing more of that inode
 * before. Safe for use by many threads.
 */
final class LockCalls implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LockCalls.class);
  private static final long FIRST_PAUSE_MILLIS = 1_000;
  private static final long LONGEST_PAUSE_MILLIS = 4_000;
  private static final long CANCEL_MILLIS = 2_000;
  private static final long RETRY_MILLIS = 1_000;

  private final Commands commands;
  private final AtomicLong requests = new AtomicLong();

  /** By the number of the request: released when it may have been granted. */
  private final Map<Long, Semaphore> hints = new ConcurrentHashMap<>();

  private final Map<Holder, CompletableFuture<?>> unsettled = new ConcurrentHashMap<>();

  private final ExecutorService afterwards =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "metadata-locks");
            thread.setDaemon(true);
            return thread;
          });

  private record Holder(InodeId inode, long owner, boolean flock) {}

  LockCalls(Commands commands) {
    this.commands = commands;
  }

  /** See {@link Metadata#lock}. */
  void lock(InodeId inode, Lock lock, boolean wait, boolean held) {
    long request = wait ? requests.incrementAndGet() : 0;
    Semaphore hint = new Semaphore(0);
    hints.put(request, hint);
    try {
      awaitSettled(new Holder(inode, lock.owner(), lock.flock()));
      lock(inode, lock, request, hint);
    } catch (InterruptedException e) {
      abandon(inode, lock, request, held, interrupted(e));
    } catch (FsException e) {
      if (!outcomeUnknown(e)) {
        throw e;
      }
      abandon(inode, lock, request, held, e);
    } finally {
      hints.remove(request, hint);
    }
  }

  private void lock(InodeId inode, Lock lock, long request, Semaphore hint)
      throws InterruptedException {
    long pause = FIRST_PAUSE_MILLIS;
    LockState state = ask(inode, lock, request);
    while (state == LockState.LOCK_STATE_WAITING) {
      boolean told = hint.tryAcquire(pause, TimeUnit.MILLISECONDS);
      pause = told ? pause : Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
      state = askAgain(inode, lock, request);
    }
    if (state != LockState.LOCK_STATE_GRANTED) {
      throw new FsException(Errno.EAGAIN, "another's lock stands against it");
    }
  }

  private LockState ask(InodeId inode, Lock lock, long request) {
    return commands
        .sendAsMember(
            node ->
                Operation.newBuilder()
                    .setLock(message(inode, node, lock, kind(lock)).setRequest(request)),
            null)
        .getLock()
        .getState();
  }

  /** It keeps its turn while the service takes no commands. */
  private LockState askAgain(InodeId inode, Lock lock, long request) {
    try {
      return ask(inode, lock, request);
    } catch (FsException e) {
      if (e.errno() != Errno.ENOSPC) {
        throw e;
      }
      return LockState.LOCK_STATE_WAITING;
    }
  }

  private static LockKind kind(Lock lock) {
    return lock.exclusive() ? LockKind.LOCK_KIND_EXCLUSIVE : LockKind.LOCK_KIND_SHARED;
  }

  private static FileLock.Builder message(InodeId inode, NodeId node, Lock lock, LockKind kind) {
    return FileLock.newBuilder()
        .setInode(inode.value())
        .setNode(node.value())
        .setOwner(lock.owner())
        .setFlock(lock.flock())
        .setKind(kind)
        .setFirst(lock.first())
        .setLast(lock.last())
        .setPid(lock.pid());
  }

  /** For the question of what stands against it. */
  FileLock.Builder message(InodeId inode, Lock lock) {
    return message(inode, commands.self(), lock, kind(lock));
  }

  /** The answer. */
  @Nullable Lock conflicting(LockReply reply) {
    if (!reply.hasConflicting()) {
      return null;
    }
    FileLock found = reply.getConflicting();
    boolean here = found.getNode() == commands.self().value();
    return new Lock(
        found.getOwner(),
        found.getFlock(),
        found.getKind() == LockKind.LOCK_KIND_EXCLUSIVE,
        found.getFirst(),
        found.getLast(),
        here ? found.getPid() : 0);
  }

  /** Returns if it has the lock after all. */
  private void abandon(InodeId inode, Lock lock, long request, boolean held, FsException failure) {
    Operation.Builder cancel =
        Operation.newBuilder()
            .setCancelLock(message(inode, commands.self(), lock, kind(lock)).setRequest(request));
    CompletableFuture<Boolean> granted = new CompletableFuture<>();
    CompletableFuture<Boolean> taken = new CompletableFuture<>();
    settleLater(
        new Holder(inode, lock.owner(), lock.flock()),
        () -> {
          granted.complete(isGranted(cancel));
          if (granted.join() && !taken.join() && !held) {
            sendUntilDone(unlocking(inode, lock));
          }
        });
    try {
      taken.complete(granted.get(CANCEL_MILLIS, TimeUnit.MILLISECONDS));
    } catch (InterruptedException | TimeoutException | ExecutionException e) {
      failure.addSuppressed(e);
      taken.complete(false);
    }
    if (!taken.join()) {
      throw failure;
    }
  }

  private boolean isGranted(Operation.Builder cancel) {
    Reply reply = sendUntilDone(cancel);
    return reply != null && reply.getLock().getState() == LockState.LOCK_STATE_GRANTED;
  }

  /** See {@link Metadata#unlock}. */
  void unlock(InodeId inode, Lock lock) {
    end(new Holder(inode, lock.owner(), lock.flock()), unlocking(inode, lock));
  }

  private Operation.Builder unlocking(InodeId inode, Lock lock) {
    return Operation.newBuilder()
        .setLock(message(inode, commands.self(), lock, LockKind.LOCK_KIND_UNLOCK));
  }

  /** See {@link Metadata#endLocks}. */
  void end(InodeId inode, long owner, boolean flock) {
    EndLocks end =
        EndLocks.newBuilder()
            .setInode(inode.value())
            .setNode(commands.self().value())
            .setOwner(owner)
            .setFlock(flock)
            .build();
    end(new Holder(inode, owner, flock), Operation.newBuilder().setEndLocks(end));
  }

  private void end(Holder holder, Operation.Builder ending) {
    try {
      commands.send(ending);
    } catch (FsException e) {
      if (mayHelpLater(e)) {
        LOG.debug("Locks of inode {} end later", holder.inode, e);
        settleLater(holder, () -> sendUntilDone(ending));
      }
    }
  }

  private static boolean outcomeUnknown(FsException failure) {
    return switch (failure.errno()) {
      case EINTR, ETIMEDOUT, EIO -> true;
      default -> false;
    };
  }

  /** A refusal else means that the node has no lock there any more. */
  private static boolean mayHelpLater(FsException failure) {
    return outcomeUnknown(failure) || failure.errno() == Errno.ENOSPC;
  }

  private void awaitSettled(Holder holder) throws InterruptedException {
    CompletableFuture<?> before = unsettled.get(holder);
    if (before != null) {
      try {
        before.get();
      } catch (ExecutionException e) {
        LOG.debug("Locks of inode {} end with the lease", holder.inode, e);
      }
    }
  }

  private void settleLater(Holder holder, Runnable task) {
    CompletableFuture<?> settled = new CompletableFuture<>();
    CompletableFuture<?> before = unsettled.put(holder, settled);
    try {
      afterwards.execute(
          () -> {
            try {
              if (before != null) {
                before.join();
              }
              task.run();
            } finally {
              settled.complete(null);
              unsettled.remove(holder, settled);
            }
          });
    } catch (RejectedExecutionException e) {
      settled.complete(null);
      LOG.debug("Locks of inode {} end with the membership", holder.inode, e);
    }
  }

  /** Null if it cannot be done, or need not be any more. */
  private @Nullable Reply sendUntilDone(Operation.Builder operation) {
    try {
      while (!afterwards.isShutdown()) {
        try {
          return commands.send(operation);
        } catch (FsException e) {
          if (!mayHelpLater(e)) {
            return null;
          }
        }
        Thread.sleep(RETRY_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed: the membership ends, and with it all locks
    }
    return null;
  }

  /** The leader says that these have their locks. */
  void granted(List<FileLock> granted) {
    for (FileLock lock : granted) {
      Semaphore hint = hints.get(lock.getRequest());
      if (hint != null) {
        hint.release();
      }
    }
  }

  private static FsException interrupted(InterruptedException e) {
    return new FsException(Errno.EINTR, "interrupted while waiting for a lock", e);
  }

  /** What is not told yet ends with the membership. */
  @Override
  public void close() {
    afterwards.shutdownNow();
  }
}
