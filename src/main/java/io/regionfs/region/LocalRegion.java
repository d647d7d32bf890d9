package io.regionfs.region;

import io.regionfs.data.BackingFile;
import io.regionfs.data.PageRuns;
import io.regionfs.data.Ranges;
import io.regionfs.data.ReadSink;
import io.regionfs.data.Region;
import io.regionfs.data.TransferBuffer;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.RegionStat;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An open region whose home is this host: memory copies, no transfers. It holds nothing, so closing
 * it does nothing; when the region is dropped its operations fail with EIO.
 */
final class LocalRegion implements Region {
  private final LentRegion region;

  LocalRegion(LentRegion region) {
    this.region = region;
  }

  @Override
  public void read(long offset, int length, TransferBuffer staging, ReadSink sink) {
    Ranges.checkOffset(offset);
    Ranges.checkOffset(length);
    region.read(offset, length, staging, sink);
  }

  @Override
  public void write(long offset, TransferBuffer source, int position, int length) {
    Ranges.checkWrite(offset, length);
    if (length > 0) {
      region.write(offset, length, from(source, position, length));
    }
  }

  @Override
  public void overwrite(long offset, TransferBuffer source, int position, PageRuns runs) {
    Ranges.checkWrite(offset, runs.last());
    region
        .overwrites()
        .overwrite(offset, runs, from(source, position, runs.last()).addressOrZero());
  }

  @Override
  public long append(TransferBuffer source, int position, int length) {
    Ranges.checkOffset(length);
    if (length == 0) {
      return region.stat().size();
    }
    region.appendTurn().enter();
    try {
      return region.append(length, from(source, position, length));
    } finally {
      region.appendTurn().leave();
    }
  }

  private static MemoryBytes.Source from(TransferBuffer source, int position, int length) {
    if (position < 0 || length > source.capacity() - position) {
      throw new IllegalArgumentException(
          length + " bytes at " + position + " of a buffer of " + source.capacity());
    }
    return new MemorySource(source.address() + position);
  }

  @Override
  public @Nullable BackingFile passThrough() {
    return region.passThrough();
  }

  @Override
  public RegionStat stat() {
    return region.stat();
  }

  @Override
  public void truncate(long size) {
    Ranges.checkSize(size);
    region.shape().truncate(size);
  }

  @Override
  public void allocate(FallocateMode mode, long offset, long length) {
    Ranges.checkAllocation(offset, length);
    region.shape().allocate(mode, offset, length);
  }

  @Override
  public void setModified(Instant mtime) {
    region.lentSlot().setModified(mtime);
  }

  @Override
  public void noEarlierThan(Instant time) {
    region.lentSlot().noEarlierThan(time);
  }

  @Override
  public long seek(long offset, boolean hole) {
    Ranges.checkOffset(offset);
    return region.seek(offset, hole);
  }

  @Override
  public void close() {}
}
