package io.regionfs.verbs;

/**
 * Against what a device's atomic operations are atomic. Source: ibv_query_device(3), {@code
 * atomic_cap}.
 */
public enum Atomics {
  /** The device has none, as iWARP: {@link Batch} refuses them. */
  NONE,
  /**
   * Against those of the same device only. Who owns the memory must not change the words with its
   * processor.
   */
  DEVICE,
  /** Against those of the processor too. */
  GLOBAL
}
