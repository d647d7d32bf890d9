package io.regionfs.fuse;

import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which threads are pinned to one CPU. A thread inherits that from the one that starts it, so
 * {@link #sweep} frees those that were not pinned here. For many threads.
 */
final class Affinity {
  private static final Logger LOG = LoggerFactory.getLogger(Affinity.class);
  private static final Path TASKS = Path.of("/proc/self/task");
  private static final int MASK_BYTES = 1024;
  private static final LibC LIBC = LibC.INSTANCE;

  /** What the process may use: mask as the calling thread had it. */
  private final byte[] all = new byte[MASK_BYTES];

  private final Set<Integer> pinned = ConcurrentHashMap.newKeySet();

  Affinity() {
    long mask = Memory.allocate(MASK_BYTES);
    try {
      Memory.fill(mask, MASK_BYTES, (byte) 0);
      if (LIBC.sched_getaffinity(0, MASK_BYTES, mask) < 0) {
        throw new IllegalStateException("sched_getaffinity: errno " + LibC.errno());
      }
      Memory.get(mask, all, 0, MASK_BYTES);
    } finally {
      Memory.free(mask);
    }
  }

  /** The kernel's number of the calling thread. */
  static int thisThread() throws IOException {
    return Integer.parseInt(
        Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString());
  }

  static boolean isAlive(int thread) {
    return Files.exists(TASKS.resolve(Integer.toString(thread)));
  }

  /** Pins the calling thread, as far as the CPU is there and ours. */
  void pin(int cpu, int thisThread) {
    pinned.add(thisThread);
    long mask = Memory.allocate(MASK_BYTES);
    try {
      Memory.fill(mask, MASK_BYTES, (byte) 0);
      Memory.putByte(mask + cpu / 8, (byte) (1 << (cpu % 8)));
      if (LIBC.sched_setaffinity(0, MASK_BYTES, mask) != 0) {
        LOG.debug("CPU {} is not for us: errno {}", cpu, LibC.errno());
      }
    } finally {
      Memory.free(mask);
    }
  }

  /** The thread is gone or about to go. */
  void forget(int thread) {
    pinned.remove(thread);
  }

  /** Lets threads that were started by pinned ones run anywhere. */
  void sweep() {
    long mask = Memory.allocate(MASK_BYTES);
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(TASKS)) {
      for (Path entry : threads) {
        int thread = Integer.parseInt(entry.getFileName().toString());
        if (!pinned.contains(thread) && isOnOneCpu(thread, mask)) {
          Memory.put(mask, all, 0, MASK_BYTES);
          LIBC.sched_setaffinity(thread, MASK_BYTES, mask);
        }
      }
    } catch (IOException e) {
      LOG.debug("Threads cannot be listed", e);
    } finally {
      Memory.free(mask);
    }
  }

  private static boolean isOnOneCpu(int thread, long mask) {
    Memory.fill(mask, MASK_BYTES, (byte) 0);
    if (LIBC.sched_getaffinity(thread, MASK_BYTES, mask) < 0) {
      return false; // it has ended
    }
    int cpus = 0;
    for (int at = 0; at < MASK_BYTES; at += Long.BYTES) {
      cpus += Long.bitCount(Memory.getLong(mask + at));
    }
    return cpus == 1;
  }
}
