package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the kernel an inode's attributes now. Until then a file that it passes through is written
 * without a look at what privileges there are to be taken from it: it has noted that there are
 * none, and no notice of ours takes that note back (Linux 6.18: S_NOSEC is cleared only with new
 * attributes).
 *
 * <p>If we asked for them, the kernel would drop an answer that a write overtakes, and a file may
 * be written all the time. So we change them, as a program would, which excludes writes: to the
 * next access time, and to our own thread the filesystem answers with what the attributes are
 * ({@link #isAsking}). It goes by the file handle that every FUSE inode has, on a thread of our
 * own, which lives while there is something to do: the answer may have to wait for the one that
 * tells us of the change. An inode that the kernel does not know is none of its business.
 *
 * <p>Source: fuse_encode_fh, fuse_change_attributes and fuse_do_setattr in fs/fuse,
 * open_by_handle_at(2), utimensat(2).
 */
final class AttributeRefresh {
  private static final Logger LOG = LoggerFactory.getLogger(AttributeRefresh.class);
  private static final int FILEID_INO64_GEN = 0x81;
  private static final int HANDLE_BYTES = 12;
  private static final int HANDLE = 0;
  private static final int TIMES = 32;
  private static final int BYTES = TIMES + 32;
  private static final int O_DIRECTORY = 0200000;
  private static final int O_PATH = 010000000;

  private final Path mountPoint;

  @GuardedBy("this")
  private final Set<InodeId> waiting = new LinkedHashSet<>();

  @GuardedBy("this")
  private boolean running;

  /** The thread that runs; 0: none. Its number may be a program's as soon as it has ended. */
  private volatile int asking;

  AttributeRefresh(Path mountPoint) {
    this.mountPoint = mountPoint;
  }

  /** Soon. Does not wait. */
  synchronized void refresh(InodeId inode) {
    waiting.add(inode);
    if (!running) {
      running = true;
      Thread thread = new Thread(this::run, "fuse-refresh");
      thread.setDaemon(true);
      thread.start();
    }
  }

  /** Whether this thread, of a request, is ours: what it asks for is no change. */
  boolean isAsking(int thread) {
    return thread != 0 && thread == asking;
  }

  private synchronized ArrayDeque<InodeId> next() {
    ArrayDeque<InodeId> next = new ArrayDeque<>(waiting);
    waiting.clear();
    if (next.isEmpty()) {
      running = false;
      asking = 0;
    }
    return next;
  }

  private void run() {
    asking = LibC.INSTANCE.gettid();
    for (ArrayDeque<InodeId> next = next(); !next.isEmpty(); next = next()) {
      long memory = Memory.allocate(BYTES);
      int root = LibC.INSTANCE.open(mountPoint.toString(), O_DIRECTORY | LibC.O_CLOEXEC, 0);
      try {
        @Nullable InodeId inode;
        while (root >= 0 && (inode = next.poll()) != null) {
          ask(root, inode, memory);
        }
      } finally {
        if (root >= 0) {
          LibC.INSTANCE.close(root);
        }
        Memory.free(memory);
      }
    }
  }

  private static void ask(int root, InodeId inode, long memory) {
    Memory.putInt(memory + HANDLE, HANDLE_BYTES);
    Memory.putInt(memory + HANDLE + 4, FILEID_INO64_GEN);
    Memory.putInt(memory + HANDLE + 8, (int) (inode.value() >>> 32));
    Memory.putInt(memory + HANDLE + 12, (int) inode.value());
    Memory.putInt(memory + HANDLE + 16, 0); // the generation that we always give
    int file = LibC.INSTANCE.open_by_handle_at(root, memory + HANDLE, O_PATH | LibC.O_CLOEXEC);
    if (file < 0) {
      LOG.debug("inode {} is not refreshed: errno {}", inode, LibC.errno());
      return;
    }
    Memory.putLong(memory + TIMES, 0);
    Memory.putLong(memory + TIMES + 8, LibC.UTIME_NOW);
    Memory.putLong(memory + TIMES + 16, 0);
    Memory.putLong(memory + TIMES + 24, LibC.UTIME_OMIT);
    if (LibC.INSTANCE.utimensat(file, "", memory + TIMES, LibC.AT_EMPTY_PATH) != 0) {
      LOG.debug("inode {} has no attributes: errno {}", inode, LibC.errno());
    }
    LibC.INSTANCE.close(file);
  }
}
