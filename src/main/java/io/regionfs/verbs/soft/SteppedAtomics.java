package io.regionfs.verbs.soft;

import io.regionfs.posix.Memory;
import java.util.concurrent.locks.LockSupport;

/**
 * Atomics as most NICs have them: a device reads the word, works, and writes it, and only its own
 * atomics wait for each other. A processor that changes the word in between loses its change, so
 * the time in between is made long: whoever relies on more than the device promises finds out.
 */
final class SteppedAtomics {
  private static final long NANOS_BETWEEN = 10_000;

  /** The old value. */
  synchronized long carryOut(long header, long address) {
    long old = Memory.getLongVolatile(address);
    long operand = Wire.operand(header);
    boolean adds = Wire.type(header) == Wire.FETCH_AND_ADD;
    LockSupport.parkNanos(NANOS_BETWEEN);
    if (adds || old == operand) {
      Memory.putLongVolatile(address, adds ? old + operand : Wire.swap(header));
    }
    return old;
  }
}
