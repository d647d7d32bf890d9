package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.RdmaCmId;
import io.regionfs.posix.Memory;
import org.jspecify.annotations.Nullable;

/**
 * A connection at the end that accepted it. Confined to the listener's thread, but for whose it is
 * and whether its queue pair has failed.
 */
final class Accepted {
  final RdmaCmId id;
  private final @Nullable Introduction introduction;
  private final int queuePair;
  private final long pulse;
  private final long patienceNanos;
  private volatile boolean failed;
  private long lastCount;
  private long lastNanos = System.nanoTime();

  /**
   * @param introduction null if a stranger connected
   * @param queuePair the number of its queue pair
   * @param pulse where its peer counts up; 0 if it does not
   */
  Accepted(
      RdmaCmId id, @Nullable Introduction introduction, int queuePair, long pulse, Pulse times) {
    this.id = id;
    this.introduction = introduction;
    this.queuePair = queuePair;
    this.pulse = pulse;
    this.patienceNanos = times.patience().toNanos();
  }

  int queuePair() {
    return queuePair;
  }

  /** Its queue pair is of no more use. */
  void fail() {
    failed = true;
  }

  boolean hasFailed() {
    return failed;
  }

  /** Whether it was made by the fabric of these fences. */
  boolean isFrom(Fences fences) {
    return introduction != null && fences.made(introduction);
  }

  long pulse() {
    return pulse;
  }

  boolean isEndedBy(Introduction other) {
    return introduction != null && other.ends(introduction);
  }

  /** Whether the pulse has stood still for too long, as seen by regular calls of this method. */
  boolean isLifeless() {
    if (pulse == 0) {
      return false;
    }
    long count = Memory.getLong(pulse);
    long now = System.nanoTime();
    if (count != lastCount) {
      lastCount = count;
      lastNanos = now;
    }
    return now - lastNanos > patienceNanos;
  }
}
