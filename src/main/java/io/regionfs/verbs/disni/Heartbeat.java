package io.regionfs.verbs.disni;

import io.regionfs.posix.Memory;

/**
 * The heartbeat of a connection's active end: counts its pulse at the peer up and reads it back, so
 * that both ends learn that the other lives. The fabric's keeper sends it; like any batch it
 * completes in whatever thread takes in completions.
 */
final class Heartbeat {
  private final DisniBatch batch = new DisniBatch(false);
  private final PulseTable table;
  private final long words;
  private final Welcome pulse;
  private final Pulse times;
  private long count;
  private long sentNanos;

  private Heartbeat(PulseTable table, long words, Welcome pulse, Pulse times) {
    this.table = table;
    this.words = words;
    this.pulse = pulse;
    this.times = times;
    sentNanos = System.nanoTime();
    long remote = pulse.pulseAddress();
    int key = table.localKey();
    batch.write(words + PulseTable.PULSE, key, remote, pulse.pulseKey(), Long.BYTES);
    batch.read(words + PulseTable.READ_BACK, key, remote, pulse.pulseKey(), Long.BYTES);
  }

  /** One without a slot in the table, or to a peer that keeps no pulses, is never sent. */
  static Heartbeat of(PulseTable table, Welcome pulse, Pulse times) {
    long words = pulse.pulseAddress() == 0 ? 0 : table.take();
    return new Heartbeat(table, words, pulse, times);
  }

  DisniBatch batch() {
    return batch;
  }

  boolean isDue() {
    return words != 0 && System.nanoTime() - sentNanos >= times.period().toNanos();
  }

  boolean isOverdue() {
    return System.nanoTime() - sentNanos >= times.answer().toNanos();
  }

  /** Sets the word to send; called when the batch is about to be posted. */
  void next() {
    sentNanos = System.nanoTime();
    Memory.putLong(words + PulseTable.PULSE, ++count);
  }

  /** Whether {@link #addFence} can do its work. */
  boolean reachesPeer() {
    return words != 0;
  }

  /** Adds a read to a batch of writes: it is answered when they are in the peer's memory. */
  void addFence(DisniBatch writes) {
    writes.readBehind(
        words + PulseTable.READ_BACK, table.localKey(), pulse.pulseAddress(), pulse.pulseKey());
  }

  /** The queue pair is destroyed. */
  void release() {
    table.giveBack(words);
  }
}
