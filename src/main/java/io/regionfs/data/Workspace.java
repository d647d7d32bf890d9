package io.regionfs.data;

import io.regionfs.posix.Memory;
import io.regionfs.verbs.Batch;

/**
 * What one operation needs beside its data: a batch, and registered scratch memory.
 *
 * <pre>
 *   0  slot (64)        where a region's slot is read to
 *  64  mtime, ctime     what is written to a slot
 *  80  old size word    where a compare-and-swap answers to
 *  88  spare (40)
 * </pre>
 */
final class Workspace {
  static final int BYTES = 128;
  private static final int TIMES = Slot.BYTES;
  private static final int OLD_WORD = TIMES + 2 * Long.BYTES;

  final Batch batch;
  private final long address;
  private final int key;

  Workspace(Batch batch, long address, int key) {
    this.batch = batch;
    this.address = address;
    this.key = key;
  }

  void readSlot(long remoteAddress, int remoteKey) {
    batch.read(address, key, remoteAddress, remoteKey, Slot.BYTES);
  }

  /** A field of the slot that was read. */
  long slot(int field) {
    return Memory.getLong(address + field);
  }

  void writeTimes(long slotAddress, int remoteKey, long nanos) {
    Memory.putLong(address + TIMES, nanos);
    Memory.putLong(address + TIMES + Long.BYTES, nanos);
    batch.write(address + TIMES, key, slotAddress + Slot.MTIME, remoteKey, 2 * Long.BYTES);
  }

  void swapSize(long slotAddress, int remoteKey, long expected, long value) {
    batch.compareAndSwap(
        address + OLD_WORD, key, slotAddress + Slot.SIZE, remoteKey, expected, value);
  }

  /** What the size word was before the swap. */
  long oldSizeWord() {
    return Memory.getLong(address + OLD_WORD);
  }
}
