package io.regionfs.fuse;

import io.regionfs.fs.FileSystem;
import io.regionfs.model.InodeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Says how long the kernel may keep what it is told, and makes it forget in time.
 *
 * <p>An answer is kept only if the node had the lease before the filesystem was asked ({@link
 * #mark}) and nothing was forgotten of the inode until it is given out, which is noted under the
 * same lock under which forgetting takes place. (A lease that was got meanwhile, by another
 * request, covers that one's answer and not this one's.) If the inode is forgotten after that,
 * while the answer is on its way to the kernel, the kernel itself does not keep it: it began the
 * request before the notice, and compares versions (attributes) or epochs (names). The first holds
 * only for inodes that the kernel knows, so only GETATTR lets it keep attributes.
 *
 * <p>An answer that is held up on its way, by a process that was stopped say, would be kept for too
 * long: each is given for {@link #MARGIN} less than the lease, and one that took longer than that
 * is taken back at once.
 *
 * <p>ACLs (and that there is none) the kernel keeps for as long as it likes, but forgets them
 * before it asks for attributes again, and with them. So it never checks an ACL that is older than
 * the attributes it checks beside it. What it asked for under a lease it also drops when the inode
 * is forgotten, for those who only look at the list.
 *
 * <p>The kernel can only forget all names at once, so names are not given in directories that have
 * changed in the last second.
 */
final class KernelCaches implements FileSystem.ForgetListener, AutoCloseable {
  private static final long MARGIN = Duration.ofMillis(100).toNanos();

  /** No lease is that long. It bounds the number of inodes that are remembered. */
  private static final long LONGEST = Duration.ofSeconds(30).toNanos();

  /** A mark that is never good. */
  private static final long NOT_LEASED = -1;

  private static final int SHARD_BITS = 4;
  private static final long SPREAD = 0x9E3779B97F4A7C15L; // 2^64 / golden ratio

  private final FileSystem fileSystem;
  private final Notices notices;
  private final PageNotices pages;
  private final LongSupplier clock;
  private volatile @Nullable AttributeRefresh refresh;
  private final KernelCacheShard[] shards = new KernelCacheShard[1 << SHARD_BITS];

  /**
   * @param channel borrowed: must outlive this
   * @param clock as {@link System#nanoTime}
   */
  KernelCaches(FileSystem fileSystem, FuseChannel channel, LongSupplier clock) {
    this(fileSystem, channel, clock, () -> {}, () -> () -> true);
  }

  /**
   * @param channel borrowed: must outlive this
   * @param clock as {@link System#nanoTime}
   * @param waiting see {@link PageNotices}
   * @param received see there too
   */
  KernelCaches(
      FileSystem fileSystem,
      FuseChannel channel,
      LongSupplier clock,
      Runnable waiting,
      Supplier<BooleanSupplier> received) {
    this.fileSystem = fileSystem;
    this.notices = new Notices(channel);
    this.pages = new PageNotices(channel, waiting, received);
    this.clock = clock;
    for (int i = 0; i < shards.length; i++) {
      shards[i] = new KernelCacheShard(notices);
    }
  }

  /** To be called between INIT and the first request. */
  void begin() {
    notices.probe();
    fileSystem.onForget(this);
  }

  /** Before the filesystem is asked: says later whether its answer is still good. */
  long mark(InodeId inode) {
    int forgets = shard(inode).forgets();
    return fileSystem.leasedNanos(inode) > 0 ? Integer.toUnsignedLong(forgets) : NOT_LEASED;
  }

  /**
   * How long the kernel may keep these attributes, in nanoseconds; to be followed by {@link #sent}.
   */
  long keepAttributes(InodeId inode, long mark) {
    long leased = leased(inode);
    return leased > 0 && shard(inode).giveAttributes(inode.value(), mark, clock.getAsLong(), leased)
        ? leased
        : 0;
  }

  /**
   * How long the kernel may keep what it is told of a name in the directory, in nanoseconds; to be
   * followed by {@link #sent}.
   */
  long keepName(InodeId directory, long mark) {
    if (!notices.canDropNames()) {
      return 0;
    }
    long leased = leased(directory);
    return leased > 0
            && shard(directory).giveNames(directory.value(), mark, clock.getAsLong(), leased)
        ? leased
        : 0;
  }

  /**
   * Before the filesystem is asked for an ACL: the kernel keeps the answer. If the inode is
   * forgotten before that has arrived, the kernel has noticed and does not keep it.
   */
  void willKeepAcls(InodeId inode) {
    if (fileSystem.leasedNanos(inode) > 0) {
      shard(inode).giveAcls(inode.value(), clock.getAsLong());
    }
  }

  private long leased(InodeId inode) {
    return Math.min(LONGEST, fileSystem.leasedNanos(inode) - MARGIN);
  }

  long now() {
    return clock.getAsLong();
  }

  /** The answer is with the kernel; it was given at this time. */
  void sent(InodeId inode, long givenAt) {
    if (clock.getAsLong() - givenAt > MARGIN) {
      forget(inode);
    }
  }

  @Override
  public void forget(InodeId inode) {
    shard(inode).forget(inode.value(), clock.getAsLong());
  }

  @Override
  public void forgetAll() {
    for (KernelCacheShard shard : shards) {
      shard.forgetAll(clock.getAsLong());
    }
  }

  @Override
  public void refresh(InodeId inode) {
    AttributeRefresh known = refresh;
    if (known != null) {
      known.refresh(inode);
    }
  }

  /** Whether a request of this thread to change attributes is {@link #refresh}'s, for an answer. */
  boolean isRefreshing(int thread) {
    AttributeRefresh known = refresh;
    return known != null && known.isAsking(thread);
  }

  /** The mount can be used by programs. */
  void mountedAt(Path mountPoint) {
    refresh = new AttributeRefresh(mountPoint);
    // Linux 6.16 brought both.
    if (!notices.canDropNames()) {
      pages.awaitWritesAt(mountPoint);
    }
  }

  /** Pages that come back. */
  PageWrites pageWrites() {
    return pages.writes();
  }

  /** Under no lock of ours: see {@link PageNotices} for what it waits for. */
  @Override
  public void dropPages(InodeId inode, long offset, long length) {
    pages.drop(inode.value(), offset, length);
  }

  /** How many threads are in {@link #dropPages}. */
  int droppingPages() {
    return pages.inFlight();
  }

  /** From now on {@link #dropPages} does nothing: the mount is about to go. */
  void stopDroppingPages() {
    pages.stop();
  }

  private KernelCacheShard shard(InodeId inode) {
    return shards[(int) ((inode.value() * SPREAD) >>> (Long.SIZE - SHARD_BITS))];
  }

  /** From now on there is no kernel that keeps anything. */
  @Override
  public void close() {
    refresh = null;
    pages.close();
    notices.close();
  }
}
