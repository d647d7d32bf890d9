package io.regionfs.region;

import com.google.errorprone.annotations.MustBeClosed;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.Slot;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.RegisteredMemory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of slots, mapped and registered in chunks; it grows by a chunk when full and never
 * shrinks. A region keeps its slot across restarts. The table's own memory is not counted in the
 * budget: 64 bytes per region.
 */
final class SlotTable implements AutoCloseable {
  private static final int CHUNK_SLOTS = 64 << 10;
  private static final long CHUNK_BYTES = (long) CHUNK_SLOTS * Slot.BYTES;
  private static final LibC C = LibC.INSTANCE;
  private static final Logger LOG = LoggerFactory.getLogger(SlotTable.class);

  private final Fabric fabric;
  private final int fd;

  @GuardedBy("this")
  private final List<RegisteredMemory> chunks = new ArrayList<>();

  @GuardedBy("this")
  private final BitSet occupied = new BitSet();

  /** Where the search for a free slot goes on: a freed slot is used again as late as possible. */
  @GuardedBy("this")
  private int next;

  @GuardedBy("this")
  private boolean closed;

  private SlotTable(Fabric fabric, int fd) {
    this.fabric = fabric;
    this.fd = fd;
  }

  /** Opens the file, making it if missing. */
  @MustBeClosed
  static SlotTable open(Path file, Fabric fabric) throws IOException {
    int flags = LibC.O_RDWR | LibC.O_CREAT | LibC.O_CLOEXEC;
    int fd = C.open(file.toString(), flags, 0600);
    if (fd < 0) {
      throw new IOException("cannot open " + file + ": errno " + LibC.errno());
    }
    SlotTable table = new SlotTable(fabric, fd);
    try {
      table.mapExisting();
      return table;
    } catch (FsException e) {
      table.close();
      throw new IOException("cannot use " + file + ": " + e.getMessage(), e);
    }
  }

  private synchronized void mapExisting() {
    long length = C.lseek(fd, 0, 2);
    for (long at = 0; at < length; at += CHUNK_BYTES) {
      addChunk();
    }
  }

  /** The slots that belonged to regions when the table was opened, or do now. */
  synchronized List<RegionSlot> occupiedSlots() {
    List<RegionSlot> slots = new ArrayList<>();
    for (int i = 0; i < chunks.size() * CHUNK_SLOTS; i++) {
      RegionSlot slot = slot(i);
      if (slot.inode().value() != 0) {
        occupied.set(i);
        slots.add(slot);
      }
    }
    return slots;
  }

  /**
   * @throws FsException ENOSPC when tmpfs has no room for more slots, ENOMEM when they cannot be
   *     registered
   */
  synchronized RegionSlot occupy(InodeId inode, Instant now) {
    int index = occupied.nextClearBit(next);
    if (index >= chunks.size() * CHUNK_SLOTS) {
      index = occupied.nextClearBit(0);
    }
    if (index >= chunks.size() * CHUNK_SLOTS) {
      addChunk();
    }
    RegionSlot slot = slot(index);
    slot.occupy(inode, now);
    occupied.set(index);
    next = index + 1;
    return slot;
  }

  /** A slot that the device does not let go of stays out of use until the next start. */
  void vacate(RegionSlot slot) {
    try {
      slot.vacate();
    } catch (FsException e) {
      LOG.warn("A slot cannot be used again: {}", e.getMessage());
      return;
    }
    synchronized (this) {
      occupied.clear(slot.index());
    }
  }

  @GuardedBy("this")
  private RegionSlot slot(int index) {
    RegisteredMemory chunk = chunks.get(index / CHUNK_SLOTS);
    long address = chunk.address() + (long) (index % CHUNK_SLOTS) * Slot.BYTES;
    return new RegionSlot(index, address, chunk.remoteKey());
  }

  @GuardedBy("this")
  @SuppressWarnings("MustBeClosedChecker") // closed with the table
  private void addChunk() {
    long offset = chunks.size() * CHUNK_BYTES;
    while (C.fallocate(fd, 0, offset, CHUNK_BYTES) != 0) {
      if (LibC.errno() != Errno.EINTR.code()) {
        throw new FsException(
            Errno.ENOSPC, "no room for more regions: fallocate gave errno " + LibC.errno());
      }
    }
    int protection = LibC.PROT_READ | LibC.PROT_WRITE;
    long address = C.mmap(0, CHUNK_BYTES, protection, LibC.MAP_SHARED, fd, offset);
    if (address == -1) {
      throw new FsException(Errno.ENOMEM, "cannot map slots: errno " + LibC.errno());
    }
    try {
      chunks.add(fabric.register(address, CHUNK_BYTES, Access.REMOTE_WRITE));
    } catch (IOException e) {
      C.munmap(address, CHUNK_BYTES);
      throw new FsException(Errno.ENOMEM, "cannot register slots: " + e.getMessage(), e);
    }
  }

  /** After it no slot may be touched. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    for (RegisteredMemory chunk : chunks) {
      chunk.close();
      C.munmap(chunk.address(), CHUNK_BYTES);
    }
    chunks.clear();
    C.close(fd);
  }
}
