package io.regionfs.region;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.data.Region;
import io.regionfs.data.Regions;
import io.regionfs.data.TransferBuffer;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.Fabric;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The regions whose home is this host. To this host's processes it gives the memory itself ({@link
 * Regions}), to other hosts what {@link HomeHandler} answers.
 *
 * <p>Lock order: a region's lock, then those of {@link Pieces}, {@link Exposures} or {@link
 * SlotTable}. A region's append turn is taken before its lock.
 */
public final class LentMemory implements Regions {
  private static final Logger LOG = LoggerFactory.getLogger(LentMemory.class);

  private final MemoryDirectory directory;
  private final SlotTable slots;
  private final Host host;
  private final LoopbackSwap loopback;
  private final Staging staging;
  private final IntFunction<TransferBuffer> buffers;
  private final InstantSource clock;
  private final long generation = new SecureRandom().nextLong();
  private final ConcurrentMap<InodeId, LentRegion> regions = new ConcurrentHashMap<>();

  /** Regions that were ended while hosts had them open. */
  private final Set<InodeId> ended = ConcurrentHashMap.newKeySet();

  private final HugePageMaker hugePages = new HugePageMaker(regions.values());

  private volatile boolean closed;

  private LentMemory(
      MemoryDirectory directory,
      SlotTable slots,
      Host host,
      LoopbackSwap loopback,
      Staging staging,
      IntFunction<TransferBuffer> buffers,
      InstantSource clock) {
    this.directory = directory;
    this.slots = slots;
    this.host = host;
    this.loopback = loopback;
    this.staging = staging;
    this.buffers = buffers;
    this.clock = clock;
  }

  /**
   * Opens the directory and finds the regions that a former process left in it.
   *
   * @param fabric borrowed: outlives this
   * @param self where the fabric listens for other hosts, and this one itself; until this is closed
   * @param buffers makes the buffers of {@link #newBuffer}, of a capacity in bytes
   * @throws IOException if the directory cannot be used, or another process uses it
   */
  @MustBeClosed
  public static LentMemory open(
      LentMemoryOptions options,
      Fabric fabric,
      InetSocketAddress self,
      IntFunction<TransferBuffer> buffers)
      throws IOException {
    return open(options, fabric, self, buffers, InstantSource.system());
  }

  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // both are closed by the result, or here
  static LentMemory open(
      LentMemoryOptions options,
      Fabric fabric,
      InetSocketAddress self,
      IntFunction<TransferBuffer> buffers,
      InstantSource clock)
      throws IOException {
    MemoryDirectory directory = MemoryDirectory.lock(options.directory());
    @Nullable SlotTable slots = null;
    boolean done = false;
    try {
      slots = SlotTable.open(options.directory().resolve("slots"), fabric);
      BackingFiles files = new BackingFiles(options.files());
      LoopbackSwap loopback = new LoopbackSwap(fabric, self);
      Host host =
          new Host(
              files,
              new Budget(options.budgetBytes()),
              new Pieces(files, options.maxMappings()),
              new Exposures(fabric, options.pinBudgetBytes(), options.maxExposures()),
              fabric.limits().atomics(),
              loopback);
      LentMemory memory =
          new LentMemory(directory, slots, host, loopback, new Staging(fabric), buffers, clock);
      memory.recover(options.files());
      if (options.hugePages()) {
        memory.hugePages.start();
      }
      done = true;
      return memory;
    } finally {
      if (!done) {
        if (slots != null) {
          slots.close();
        }
        directory.close();
      }
    }
  }

  /** Each region has a slot, and a file if it has ever held memory; what has one is no region. */
  private void recover(Path files) throws IOException {
    Set<InodeId> withFile = filesFound(files);
    for (RegionSlot slot : slots.occupiedSlots()) {
      InodeId inode = slot.inode();
      boolean hasFile = withFile.contains(inode);
      if (regions.containsKey(inode) || (!hasFile && slot.allocatedBytes() != 0)) {
        LOG.warn("Region {} has lost its memory", inode);
        slots.vacate(slot);
        continue;
      }
      LentRegion region = new LentRegion(inode, slot, host, clock);
      if (hasFile) {
        region.recover();
      }
      regions.put(inode, region);
    }
    withFile.removeAll(regions.keySet());
    for (InodeId orphan : withFile) {
      LOG.debug("removing the memory of region {}, which has no slot", orphan);
      host.files().delete(orphan);
    }
    if (!regions.isEmpty()) {
      LOG.info(
          "Found {} regions with {} bytes in {}",
          regions.size(),
          host.budget().usedBytes(),
          directory.path());
    }
  }

  private static Set<InodeId> filesFound(Path files) throws IOException {
    Set<InodeId> found = new HashSet<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(files)) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (BackingFiles.isRegionName(name)) {
          found.add(BackingFiles.inodeOf(name));
        }
      }
    }
    return found;
  }

  /** Changes when this process starts again: what was handed out before is of no use then. */
  long generation() {
    return generation;
  }

  HugePageMaker hugePages() {
    return hugePages;
  }

  /** Where other hosts put what this one is to write for them. */
  Staging staging() {
    return staging;
  }

  /** Whether another host that attaches makes this one change the size with its device. */
  boolean sharesSizesByDevice() {
    return host.atomics() == Atomics.DEVICE;
  }

  /** A region that is here, or EIO. */
  LentRegion find(InodeId inode) {
    LentRegion region = regions.get(inode);
    if (region == null) {
      throw new FsException(Errno.EIO, "region " + inode + " is lost: its home does not have it");
    }
    return region;
  }

  @Nullable LentRegion findOrNull(InodeId inode) {
    return regions.get(inode);
  }

  LentRegion findOrMake(InodeId inode) {
    checkInode(inode);
    LentRegion found = regions.get(inode);
    return found != null ? found : regions.computeIfAbsent(inode, this::make);
  }

  private LentRegion make(InodeId inode) {
    if (closed) {
      throw new FsException(Errno.EIO, "the home is shutting down");
    }
    if (ended.contains(inode)) {
      throw new FsException(Errno.EIO, "region " + inode + " was ended");
    }
    return new LentRegion(inode, slots.occupy(inode, clock.instant()), host, clock);
  }

  /** 0 marks a free slot. */
  private static void checkInode(InodeId inode) {
    if (inode.value() == 0) {
      throw new FsException(Errno.EINVAL, "0 is no inode");
    }
  }

  @Override
  @MustBeClosed
  public Region open(InodeId inode, NodeId home, boolean mayBeNew) {
    return new LocalRegion(mayBeNew ? findOrMake(inode) : find(inode));
  }

  @Override
  public RegionStat stat(InodeId inode, NodeId home) {
    return find(inode).stat();
  }

  @Override
  public void drop(InodeId inode, NodeId home) {
    drop(inode);
  }

  @Override
  public void end(InodeId inode) {
    ended.add(inode);
    drop(inode, true);
  }

  /** Gives back everything of a dead inode; those that have it open get EIO. Unknown: nothing. */
  public void drop(InodeId inode) {
    drop(inode, false);
  }

  private void drop(InodeId inode, boolean open) {
    LentRegion region = regions.remove(inode);
    if (region != null) {
      region.drop(slots, open);
    }
  }

  @Override
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker")
  public TransferBuffer newBuffer(int bytes) {
    return buffers.apply(bytes);
  }

  public LentStatus status() {
    return new LentStatus(
        generation,
        regions.size(),
        host.budget().usedBytes(),
        host.budget().limitBytes(),
        host.exposures().count(),
        host.exposures().pinnedBytes(),
        host.pieces().count());
  }

  /** Waits for copies in progress, ends all exposures, and leaves the regions to the next start. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    hugePages.close();
    regions.values().forEach(LentRegion::leave);
    regions.clear();
    loopback.close();
    staging.close();
    host.exposures().close();
    host.pieces().close();
    slots.close();
    directory.close();
  }
}
