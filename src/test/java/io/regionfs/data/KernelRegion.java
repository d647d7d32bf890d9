package io.regionfs.data;

import io.regionfs.model.FallocateMode;
import io.regionfs.model.RegionStat;
import io.regionfs.posix.LibC;
import java.time.Instant;

/**
 * A region as the kernel of its home uses it: reads, writes and appends are system calls on the
 * file, the rest is asked of the home, as FUSE does.
 */
final class KernelRegion implements Region {
  private static final LibC C = LibC.INSTANCE;
  private static final int O_APPEND = 02000;

  private final Region home;
  private final int fd;
  private final int appendFd;

  KernelRegion(Region home, BackingFile file) {
    this.home = home;
    this.fd = file.descriptor();
    this.appendFd = C.open("/proc/self/fd/" + fd, LibC.O_RDWR | O_APPEND | LibC.O_CLOEXEC, 0);
    check(appendFd);
  }

  private static long check(long result) {
    if (result < 0) {
      throw new IllegalStateException("errno " + LibC.errno());
    }
    return result;
  }

  private static void checkAll(long result, int length) {
    if (check(result) != length) {
      throw new IllegalStateException(result + " bytes of " + length);
    }
  }

  @Override
  public void read(long offset, int length, TransferBuffer staging, ReadSink sink) {
    long count = check(C.pread(fd, staging.address(), length, offset));
    sink.accept(staging.address(), (int) count);
  }

  @Override
  public void write(long offset, TransferBuffer source, int position, int length) {
    checkAll(C.pwrite(fd, source.address() + position, length, offset), length);
  }

  @Override
  public void overwrite(long offset, TransferBuffer source, int position, PageRuns runs) {
    for (int run = 0; run < runs.size(); run++) {
      long start = offset + runs.start(run);
      long length = Math.min(stat().size(), offset + runs.end(run)) - start;
      if (length > 0) {
        checkAll(
            C.pwrite(fd, source.address() + position + runs.start(run), length, start),
            (int) length);
      }
    }
  }

  @Override
  public synchronized long append(TransferBuffer source, int position, int length) {
    checkAll(C.write(appendFd, source.address() + position, length), length);
    return check(C.lseek(appendFd, 0, 1)) - length;
  }

  @Override
  public RegionStat stat() {
    return home.stat();
  }

  @Override
  public void truncate(long size) {
    home.truncate(size);
  }

  @Override
  public void allocate(FallocateMode mode, long offset, long length) {
    home.allocate(mode, offset, length);
  }

  @Override
  public void setModified(Instant mtime) {
    home.setModified(mtime);
  }

  @Override
  public void noEarlierThan(Instant time) {
    home.noEarlierThan(time);
  }

  @Override
  public long seek(long offset, boolean hole) {
    return home.seek(offset, hole);
  }

  @Override
  public void close() {
    C.close(appendFd);
    home.close();
  }
}
