package io.regionfs.model;

/** What fallocate(2) may be asked to do. */
public enum FallocateMode {
  /** Reserve memory; the size grows if the range ends beyond it. */
  ALLOCATE,
  /** Reserve memory; the size stays (FALLOC_FL_KEEP_SIZE). */
  ALLOCATE_KEEP_SIZE,
  /** Give the memory back; the range reads as zeros, the size stays (FALLOC_FL_PUNCH_HOLE). */
  PUNCH_HOLE,
  /** The range reads as zeros and holds memory; the size may grow (FALLOC_FL_ZERO_RANGE). */
  ZERO_RANGE,
  /** As {@link #ZERO_RANGE}, the size stays. */
  ZERO_RANGE_KEEP_SIZE
}
