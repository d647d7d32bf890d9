package io.regionfs.region;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.RegisteredMemory;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Memory that other hosts put bytes into for this one to write: beyond the budget, but bounded. Who
 * does not come back for theirs within ten seconds loses it, and the memory is deregistered, as
 * bytes may still be under way. Safe for use by many threads.
 */
final class Staging implements AutoCloseable {
  /** Longest at once. */
  static final long MAX_BYTES = 16L << 20;

  private static final long MOST_BYTES = 64L << 20;
  private static final long COMMON_BYTES = 1L << 20;
  private static final int MOST_IDLE = 4;
  private static final long HELD_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Some memory and whose it is. */
  record Stage(long token, RegisteredMemory memory, long sinceNanos) {}

  private final Fabric fabric;

  /** In the order in which they were taken. */
  @GuardedBy("this")
  private final Map<Long, Stage> held = new LinkedHashMap<>();

  /** Of the common length. */
  @GuardedBy("this")
  private final Deque<RegisteredMemory> idle = new ArrayDeque<>();

  @GuardedBy("this")
  private long bytes;

  @GuardedBy("this")
  private boolean closed;

  /** Starts anywhere, so that no token of a former process is taken for one of this. */
  @GuardedBy("this")
  private long lastToken = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE / 2);

  Staging(Fabric fabric) {
    this.fabric = fabric;
  }

  /**
   * Memory for so many bytes.
   *
   * @throws FsException EAGAIN if too much is in use now, EINVAL if it is never so much
   */
  Stage take(long length) {
    if (length <= 0 || length > MAX_BYTES) {
      throw new FsException(Errno.EINVAL, "no " + length + " bytes can be staged");
    }
    dropExpired(System.nanoTime());
    long size = Math.max(length, COMMON_BYTES);
    @Nullable RegisteredMemory memory = reserve(size);
    if (memory == null) {
      memory = register(size);
    }
    return hold(memory);
  }

  private synchronized Stage hold(RegisteredMemory memory) {
    Stage stage = new Stage(++lastToken, memory, System.nanoTime());
    held.put(stage.token(), stage);
    return stage;
  }

  /** Idle memory, or null if the caller makes some, which is counted already. */
  private synchronized @Nullable RegisteredMemory reserve(long size) {
    if (closed) {
      throw new FsException(Errno.EIO, "the home is shutting down");
    }
    if (size == COMMON_BYTES && !idle.isEmpty()) {
      return idle.pop();
    }
    if (bytes + size > MOST_BYTES) {
      throw new FsException(Errno.EAGAIN, "other hosts are writing as much as may be staged");
    }
    bytes += size;
    return null;
  }

  @SuppressWarnings("MustBeClosedChecker") // closed by free()
  private RegisteredMemory register(long size) {
    long address = Memory.allocate(size);
    try {
      return fabric.register(address, size, Access.REMOTE_WRITE);
    } catch (IOException e) {
      Memory.free(address);
      synchronized (this) {
        bytes -= size;
      }
      throw new FsException(Errno.ENOMEM, "cannot register memory: " + e.getMessage(), e);
    }
  }

  /**
   * What was put there; the caller gives it back.
   *
   * @throws FsException ESTALE if it is gone
   */
  synchronized Stage claim(long token) {
    Stage stage = held.remove(token);
    if (stage == null) {
      throw new FsException(Errno.ESTALE, "what was staged is gone: stage it again");
    }
    return stage;
  }

  /** It was not used after all: its holder may come again. */
  synchronized void unclaim(Stage stage) {
    held.put(stage.token(), stage);
  }

  /** Its holder has nothing under way any more. */
  void giveBack(Stage stage) {
    synchronized (this) {
      if (!closed && stage.memory().length() == COMMON_BYTES && idle.size() < MOST_IDLE) {
        idle.push(stage.memory());
        return;
      }
    }
    free(stage.memory());
  }

  private void dropExpired(long now) {
    List<Stage> expired = new ArrayList<>();
    synchronized (this) {
      held.values()
          .removeIf(
              stage -> {
                boolean late = now - stage.sinceNanos() > HELD_NANOS;
                return late && expired.add(stage);
              });
    }
    expired.forEach(stage -> free(stage.memory()));
  }

  private void free(RegisteredMemory memory) {
    long address = memory.address();
    long size = memory.length();
    memory.close();
    Memory.free(address);
    synchronized (this) {
      bytes -= size;
    }
  }

  @Override
  public void close() {
    List<RegisteredMemory> all = new ArrayList<>();
    synchronized (this) {
      closed = true;
      held.values().forEach(stage -> all.add(stage.memory()));
      held.clear();
      all.addAll(idle);
      idle.clear();
    }
    all.forEach(this::free);
  }
}
