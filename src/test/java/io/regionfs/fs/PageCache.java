package io.regionfs.fs;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.regionfs.data.TransferBuffer;
import io.regionfs.model.InodeId;
import io.regionfs.posix.Memory;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What a kernel keeps of one file for the mappings of one node, as far as a file system can tell:
 * pages come by readPages, changed ones go back by writePages, each a request of its own.
 */
final class PageCache implements FileSystem.ForgetListener, AutoCloseable {
  static final int MOST_PAGES = 256;

  private static final int PAGE = 4096;

  private final InodeId inode;
  private final OpenFile file;
  private final TransferBuffer readBuffer;
  private final TransferBuffer writeBuffer;

  @GuardedBy("this")
  private final Map<Long, byte[]> pages = new HashMap<>();

  @GuardedBy("this")
  private final Set<Long> dirty = new HashSet<>();

  /** The pages that are being read: they are locked. */
  @GuardedBy("this")
  private long reading = -1;

  @GuardedBy("this")
  private int readingPages;

  /**
   * Becomes the node's listener.
   *
   * @param file open for reading and writing; closed with this
   */
  @SuppressWarnings("MustBeClosedChecker") // closed in close()
  PageCache(RegionFileSystem node, InodeId inode, OpenFile file) {
    this.inode = inode;
    this.file = file;
    this.readBuffer = node.newBuffer(MOST_PAGES * PAGE);
    this.writeBuffer = node.newBuffer(PAGE);
    node.onForget(this);
  }

  byte load(long offset) {
    while (true) {
      bring(offset / PAGE);
      synchronized (this) {
        byte[] page = pages.get(offset / PAGE);
        if (page != null) {
          return page[(int) (offset % PAGE)];
        }
      }
    }
  }

  void store(long offset, int value) {
    while (true) {
      bring(offset / PAGE);
      synchronized (this) {
        byte[] page = pages.get(offset / PAGE);
        if (page != null) {
          page[(int) (offset % PAGE)] = (byte) value;
          dirty.add(offset / PAGE);
          return;
        }
      }
    }
  }

  /** By the one thread that uses the mapping; the page may be dropped at once. */
  private void bring(long number) {
    synchronized (this) {
      if (pages.containsKey(number)) {
        return;
      }
    }
    read(number, 1);
  }

  /**
   * One request for pages that are not there, as the kernel reads ahead; by the same thread.
   *
   * @param count at most {@link #MOST_PAGES}
   */
  void read(long first, int count) {
    synchronized (this) {
      reading = first;
      readingPages = count;
    }
    byte[] read = new byte[count * PAGE];
    try {
      file.readPages(
          first * PAGE,
          read.length,
          readBuffer,
          (address, bytes) -> Memory.get(address, read, 0, bytes));
    } finally {
      synchronized (this) {
        for (int i = 0; i < count; i++) {
          pages.put(first + i, Arrays.copyOfRange(read, i * PAGE, (i + 1) * PAGE));
        }
        reading = -1;
        notifyAll();
      }
    }
  }

  /** The kernel learns a size: what is beyond is zeros from now on. */
  synchronized void cut(long size) {
    pages.keySet().removeIf(number -> number * PAGE >= size);
    dirty.removeIf(number -> number * PAGE >= size);
    byte[] last = pages.get(size / PAGE);
    if (last != null) {
      Arrays.fill(last, (int) (size % PAGE), PAGE, (byte) 0);
    }
  }

  /** The end of a fallocate(2) that makes zeros: whole pages go, parts become zeros. */
  synchronized void zero(long from, long to) {
    pages.keySet().removeIf(number -> number * PAGE >= from && (number + 1) * PAGE <= to);
    dirty.retainAll(pages.keySet());
    pages.forEach(
        (number, page) -> {
          int first = (int) Math.max(0, from - number * PAGE);
          int end = (int) Math.min(PAGE, to - number * PAGE);
          if (first < end) {
            Arrays.fill(page, first, end, (byte) 0);
          }
        });
  }

  /** msync(2); pages stay. */
  synchronized void writeBack() {
    for (long number : Set.copyOf(dirty)) {
      byte[] page = pages.getOrDefault(number, new byte[0]);
      Memory.put(writeBuffer.address(), page, 0, page.length);
      file.writePages(number * PAGE, writeBuffer, 0, page.length);
    }
    dirty.clear();
  }

  @Override
  public synchronized void dropPages(InodeId dropped, long offset, long length) {
    if (dropped.equals(inode)) {
      long end = length == Long.MAX_VALUE ? length : offset + length;
      while (isReading(offset, end)) {
        try {
          wait();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
      writeBack();
      pages.keySet().removeIf(number -> number * PAGE + PAGE > offset && number * PAGE < end);
    }
  }

  @GuardedBy("this")
  private boolean isReading(long offset, long end) {
    return reading >= 0 && (reading + readingPages) * PAGE > offset && reading * PAGE < end;
  }

  @Override
  public void forget(InodeId forgotten) {}

  @Override
  public void forgetAll() {}

  synchronized int kept() {
    return pages.size();
  }

  @Override
  public void close() {
    writeBack();
    file.close();
    readBuffer.close();
    writeBuffer.close();
  }
}
