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
 * Makes the kernel ask for an inode's attributes now. Until it does, a file that it passes through
 * is written without a look at what privileges there are to be taken from it: it has noted that
 * there are none, and no notice of ours takes that note back (Linux 6.18: S_NOSEC is cleared only
 * with new attributes).
 *
 * <p>We ask as a program would, by the file handle that every FUSE inode has, on a thread of our
 * own, which lives while there is something to do: the answer may have to wait for the one that
 * tells us of the change. An inode that the kernel does not know is none of its business.
 *
 * <p>Source: fuse_encode_fh in fs/fuse/inode.c, open_by_handle_at(2).
 */
final class AttributeRefresh {
  private static final Logger LOG = LoggerFactory.getLogger(AttributeRefresh.class);
  private static final int FILEID_INO64_GEN = 0x81;
  private static final int HANDLE_BYTES = 12;
  private static final int HANDLE = 0;
  private static final int STATX = 32;
  private static final int BYTES = STATX + 256;
  private static final int O_DIRECTORY = 0200000;
  private static final int O_PATH = 010000000;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int AT_STATX_FORCE_SYNC = 0x2000;
  private static final int STATX_MODE = 2;

  private final Path mountPoint;

  @GuardedBy("this")
  private final Set<InodeId> waiting = new LinkedHashSet<>();

  @GuardedBy("this")
  private boolean running;

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

  private synchronized ArrayDeque<InodeId> next() {
    ArrayDeque<InodeId> next = new ArrayDeque<>(waiting);
    waiting.clear();
    running = !next.isEmpty();
    return next;
  }

  private void run() {
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
    int flags = AT_EMPTY_PATH | AT_STATX_FORCE_SYNC;
    if (LibC.INSTANCE.statx(file, "", flags, STATX_MODE, memory + STATX) != 0) {
      LOG.debug("inode {} has no attributes: errno {}", inode, LibC.errno());
    }
    LibC.INSTANCE.close(file);
  }
}
