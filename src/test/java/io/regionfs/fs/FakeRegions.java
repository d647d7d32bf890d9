package io.regionfs.fs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.PageRuns;
import io.regionfs.data.ReadSink;
import io.regionfs.data.Region;
import io.regionfs.data.Regions;
import io.regionfs.data.TransferBuffer;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.model.RegionStat;
import io.regionfs.posix.Memory;
import java.time.Instant;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** The memory of a cluster as arrays, shared by all nodes of a test. */
final class FakeRegions implements Regions {
  private final ConcurrentHashMap<InodeId, Bytes> bytes = new ConcurrentHashMap<>();

  /** Region handles that are not closed. */
  final AtomicInteger handles = new AtomicInteger();

  /** Transfer buffers that are not closed. */
  final AtomicInteger buffers = new AtomicInteger();

  /** Homes that are lost. */
  final Set<NodeId> lost = ConcurrentHashMap.newKeySet();

  boolean has(InodeId inode) {
    return bytes.containsKey(inode);
  }

  @Override
  public Region open(InodeId inode, NodeId home, boolean mayBeNew) {
    if (mayBeNew) {
      requireAlive(home);
      bytes.computeIfAbsent(inode, i -> new Bytes());
    }
    Bytes found = bytes(inode, home);
    handles.incrementAndGet();
    return new Handle(found, home);
  }

  private Bytes bytes(InodeId inode, NodeId home) {
    requireAlive(home);
    Bytes found = bytes.get(inode);
    if (found == null) {
      throw new FsException(Errno.EIO, "region " + inode + " is lost");
    }
    return found;
  }

  private void requireAlive(NodeId home) {
    if (lost.contains(home)) {
      throw new FsException(Errno.EIO, "home " + home + " is gone");
    }
  }

  @Override
  public RegionStat stat(InodeId inode, NodeId home) {
    return bytes(inode, home).stat();
  }

  @Override
  public void drop(InodeId inode, NodeId home) {
    bytes.remove(inode);
  }

  @Override
  public TransferBuffer newBuffer(int capacity) {
    long address = Memory.allocate(capacity);
    buffers.incrementAndGet();
    return new TransferBuffer() {
      @Override
      public long address() {
        return address;
      }

      @Override
      public int capacity() {
        return capacity;
      }

      @Override
      public void close() {
        buffers.decrementAndGet();
        Memory.free(address);
      }
    };
  }

  @Override
  public void close() {}

  private static final class Bytes {
    @GuardedBy("this")
    private byte[] data = {};

    @GuardedBy("this")
    private Instant mtime = Instant.now();

    @GuardedBy("this")
    private Instant ctime = Instant.now();

    synchronized byte[] read(long offset, int length) {
      int from = (int) Math.min(offset, data.length);
      return Arrays.copyOfRange(data, from, (int) Math.min((long) from + length, data.length));
    }

    synchronized long append(long address, int length) {
      long offset = data.length;
      write(offset, address, length);
      return offset;
    }

    synchronized void write(long offset, long address, int length) {
      int end = Math.toIntExact(offset + length);
      if (end > data.length) {
        data = Arrays.copyOf(data, end);
      }
      Memory.get(address, data, (int) offset, length);
      touch();
    }

    synchronized void overwrite(long offset, long address, PageRuns runs) {
      for (int run = 0; run < runs.size(); run++) {
        long start = offset + runs.start(run);
        int length = (int) (Math.min(data.length, offset + runs.end(run)) - start);
        if (length > 0) {
          Memory.get(address + runs.start(run), data, (int) start, length);
        }
      }
      touch();
    }

    synchronized void resize(long size) {
      data = Arrays.copyOf(data, Math.toIntExact(size));
      touch();
    }

    synchronized void allocate(FallocateMode mode, long offset, long length) {
      if (mode == FallocateMode.ALLOCATE && offset + length > data.length) {
        resize(offset + length);
      }
      if (mode == FallocateMode.PUNCH_HOLE) {
        int from = (int) Math.min(offset, data.length);
        Arrays.fill(data, from, (int) Math.min(offset + length, data.length), (byte) 0);
      }
      touch();
    }

    synchronized void setModified(Instant time) {
      mtime = time;
      ctime = Instant.now();
    }

    synchronized RegionStat stat() {
      return new RegionStat(data.length, data.length, mtime, ctime);
    }

    private void touch() {
      setModified(Instant.now());
    }
  }

  private final class Handle implements Region {
    private final Bytes bytes;
    private final NodeId home;
    private volatile boolean closed;

    Handle(Bytes bytes, NodeId home) {
      this.bytes = bytes;
      this.home = home;
    }

    private Bytes bytes() {
      requireAlive(home);
      if (closed) {
        throw new IllegalStateException("region is closed");
      }
      return bytes;
    }

    @Override
    public void read(long offset, int length, TransferBuffer staging, ReadSink sink) {
      byte[] read = bytes().read(offset, length);
      Memory.put(staging.address(), read, 0, read.length);
      sink.accept(staging.address(), read.length);
    }

    @Override
    public void write(long offset, TransferBuffer source, int position, int length) {
      bytes().write(offset, source.address() + position, length);
    }

    @Override
    public void overwrite(long offset, TransferBuffer source, int position, PageRuns runs) {
      bytes().overwrite(offset, source.address() + position, runs);
    }

    @Override
    public long append(TransferBuffer source, int position, int length) {
      return bytes().append(source.address() + position, length);
    }

    @Override
    public RegionStat stat() {
      return bytes().stat();
    }

    @Override
    public void truncate(long size) {
      bytes().resize(size);
    }

    @Override
    public void allocate(FallocateMode mode, long offset, long length) {
      bytes().allocate(mode, offset, length);
    }

    @Override
    public void setModified(Instant mtime) {
      bytes().setModified(mtime);
    }

    @Override
    public void noEarlierThan(Instant time) {}

    @Override
    public long seek(long offset, boolean hole) {
      long size = stat().size();
      if (offset >= size) {
        throw new FsException(Errno.ENXIO, "beyond the end");
      }
      return hole ? size : offset;
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        handles.decrementAndGet();
      }
    }
  }
}
