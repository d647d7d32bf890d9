package io.regionfs.data;

import io.regionfs.posix.Memory;
import java.util.Random;

/** Reads and writes regions as arrays, through a transfer buffer of 8 MiB. For one thread. */
@SuppressWarnings("MustBeClosedChecker")
final class RegionBytes implements AutoCloseable {
  private final TransferBuffer buffer;

  RegionBytes(Regions regions) {
    buffer = regions.newBuffer(8 << 20);
  }

  /** Bytes without a zero among them, so that a hole is never taken for data. */
  static byte[] pattern(int length, long seed) {
    byte[] data = new byte[length];
    new Random(seed).nextBytes(data);
    for (int i = 0; i < length; i++) {
      if (data[i] == 0) {
        data[i] = 1;
      }
    }
    return data;
  }

  byte[] read(Region region, long offset, int length) {
    byte[][] result = new byte[1][];
    region.read(
        offset,
        length,
        buffer,
        (address, count) -> {
          if (result[0] != null) {
            throw new AssertionError("the sink was called twice");
          }
          result[0] = new byte[count];
          Memory.get(address, result[0], 0, count);
        });
    if (result[0] == null) {
      throw new AssertionError("the sink was not called");
    }
    return result[0];
  }

  /** Puts the data at an odd place of the buffer: nothing promises alignment. */
  void write(Region region, long offset, byte[] data) {
    region.write(offset, buffer, fill(data), data.length);
  }

  /**
   * Writes parts of the data as if they were changed bytes of pages.
   *
   * @param bounds where each part begins and ends
   */
  void overwrite(Region region, long offset, byte[] data, int... bounds) {
    PageRuns runs = new PageRuns(bounds.length / 2);
    for (int i = 0; i < bounds.length; i += 2) {
      runs.add(bounds[i], bounds[i + 1]);
    }
    region.overwrite(offset, buffer, fill(data), runs);
  }

  long append(Region region, byte[] data) {
    return region.append(buffer, fill(data), data.length);
  }

  private int fill(byte[] data) {
    int position = Math.min(13, buffer.capacity() - data.length);
    Memory.put(buffer.address() + position, data, 0, data.length);
    return position;
  }

  @Override
  public void close() {
    buffer.close();
  }
}
