package io.regionfs.fuse;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.BackingFile;
import io.regionfs.fs.FileSystem;
import java.util.IdentityHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files that the kernel reads, writes and maps itself, each known to it by an id from its first
 * open until its last release. The kernel has a rule for each inode: while one of its open files
 * passes through, all do, to the same file; a mixture is EIO. So a file that the kernel has refused
 * once is not offered again before all who have it open have closed it.
 *
 * <p>For many threads; the lock is held while the kernel takes or drops a file, which waits for
 * nothing.
 */
final class PassThrough {
  /** The id of a file that the kernel does not use: its requests come to us. */
  static final int NONE = 0;

  private static final Logger LOG = LoggerFactory.getLogger(PassThrough.class);
  private static final int EBADF = 9;
  private static final int NO_FILE = -1;

  private final FuseChannel channel;
  private final FileSystem fileSystem;

  @GuardedBy("this")
  private final IdentityHashMap<BackingFile, Passed> passed = new IdentityHashMap<>();

  @GuardedBy("this")
  private boolean warned;

  /** One file; its users are guarded by the lock of the whole. */
  private static final class Passed {
    private final int id;
    private int users;

    Passed(int id) {
      this.id = id;
    }
  }

  /** Both borrowed: must outlive this. */
  PassThrough(FuseChannel channel, FileSystem fileSystem) {
    this.channel = channel;
    this.fileSystem = fileSystem;
  }

  /**
   * Finds out whether the kernel takes files and tells the filesystem; to be called between INIT
   * and the first request. It looks at the file only after what it may refuse for good: an old
   * kernel, a process without CAP_SYS_ADMIN, or that INIT did not ask for it.
   */
  void begin() {
    int errno = -channel.openBacking(NO_FILE);
    LOG.debug(
        "The kernel {} use files itself (errno {})", errno == EBADF ? "can" : "cannot", errno);
    fileSystem.passThroughUsable(errno == EBADF);
  }

  /**
   * Another open file of this one; to be followed by {@link #release}.
   *
   * @return the kernel's id for it, or {@link #NONE}
   */
  synchronized int acquire(BackingFile file) {
    Passed known = passed.get(file);
    if (known == null) {
      known = new Passed(open(file));
      passed.put(file, known);
    }
    known.users++;
    return known.id;
  }

  @GuardedBy("this")
  private int open(BackingFile file) {
    int id = channel.openBacking(file.descriptor());
    if (id > 0) {
      return id;
    }
    fileSystem.passThroughUsable(false);
    if (!warned) {
      warned = true;
      LOG.warn(
          "The kernel does not take a file of this host's memory (errno {}): all is served here",
          -id);
    }
    return NONE;
  }

  /** The open file is released; to be called before it is closed. */
  synchronized void release(BackingFile file) {
    Passed known = passed.get(file);
    if (known != null && --known.users == 0) {
      passed.remove(file);
      if (known.id != NONE) {
        channel.closeBacking(known.id);
      }
    }
  }

  /** Files that the kernel uses now. */
  synchronized int files() {
    int files = 0;
    for (Passed one : passed.values()) {
      files += one.id == NONE ? 0 : 1;
    }
    return files;
  }
}
