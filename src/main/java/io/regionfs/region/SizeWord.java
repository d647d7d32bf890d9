package io.regionfs.region;

import io.regionfs.data.Slot;
import io.regionfs.posix.Memory;

/**
 * The size word of a slot, and how this process changes it: by its processor, or from some moment
 * on by its device. Guarded by the region's lock: shared to grow, exclusive to shrink and for that
 * moment, so that the two ways are never mixed.
 *
 * <p>A word never returns: within an epoch the size only grows, and only the holder of the
 * exclusive lock ends an epoch. So a swap may be repeated, may take effect late, and its outcome
 * can be seen by looking.
 */
final class SizeWord {
  private final long address;
  private final int remoteKey;
  private WordSwap way = WordSwap.BY_PROCESSOR;

  SizeWord(long address, int remoteKey) {
    this.address = address;
    this.remoteKey = remoteKey;
  }

  /** For good, until the word is another region's. */
  void changeBy(WordSwap newWay) {
    way = newWay;
  }

  boolean isChangedBy(WordSwap asked) {
    return way == asked;
  }

  long get() {
    return Memory.getLongVolatile(address);
  }

  /** Makes the size at least so much. */
  void growTo(long size) {
    for (long word = get(); Slot.sizeOf(word) < size; word = get()) {
      way.swap(address, remoteKey, word, Slot.word(Slot.epochOf(word), Slot.isDirect(word), size));
    }
  }

  /** Makes the size at most so much and begins a new epoch; returns the new size. */
  long shrinkTo(long size) {
    return beginEpoch(size, Slot.isDirect(get()));
  }

  /** The same, and says whether the region is direct from now on. */
  long beginEpoch(long size, boolean direct) {
    int last = Slot.epochOf(get());
    long word = get();
    while (Slot.epochOf(word) == last) {
      long newSize = Math.min(size, Slot.sizeOf(word));
      way.swap(address, remoteKey, word, Slot.word(last + 1, direct, newSize));
      word = get();
    }
    return Slot.sizeOf(word);
  }
}
