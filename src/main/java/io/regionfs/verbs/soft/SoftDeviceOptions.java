package io.regionfs.verbs.soft;

import io.regionfs.verbs.Atomics;
import java.time.Duration;

/**
 * What the device offers, like the limits of a NIC.
 *
 * @param maxWorkRequests most entries of a send or receive queue
 * @param maxSegments most scatter/gather entries of a work request
 * @param maxInlineBytes most inline bytes of a work request
 * @param maxCompletions most entries of a completion queue
 * @param readDepth READs and atomics that one connection has outstanding, in each direction
 * @param handshakeTimeout how long a connecting peer may take to say who it is, and a listener to
 *     accept
 * @param peerTimeout how long a peer's host may stay silent while it owes an acknowledgement before
 *     the connection is given up
 * @param atomics against what its atomics are atomic; NONE: it refuses them, DEVICE: they are read,
 *     compared and stored in steps, under a lock that only this device knows
 * @param faults failures to inject
 */
public record SoftDeviceOptions(
    int maxWorkRequests,
    int maxSegments,
    int maxInlineBytes,
    int maxCompletions,
    int readDepth,
    Duration handshakeTimeout,
    Duration peerTimeout,
    Atomics atomics,
    SoftFaults faults) {
  public SoftDeviceOptions {
    atLeastOne(maxWorkRequests, "maxWorkRequests");
    atLeastOne(maxSegments, "maxSegments");
    atLeastOne(maxCompletions, "maxCompletions");
    atLeastOne(readDepth, "readDepth");
    if (maxSegments > 32 || readDepth > 128 || maxInlineBytes < 0 || maxInlineBytes > 4096) {
      throw new IllegalArgumentException(
          "at most 32 segments, 128 outstanding reads, 4096 inline bytes");
    }
  }

  private static void atLeastOne(int value, String name) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " must be positive: " + value);
    }
  }

  public static SoftDeviceOptions defaults() {
    return new SoftDeviceOptions(
        16384,
        16,
        512,
        1 << 20,
        16,
        Duration.ofSeconds(5),
        Duration.ofSeconds(10),
        Atomics.GLOBAL,
        new SoftFaults());
  }

  public SoftDeviceOptions withFaults(SoftFaults value) {
    return new SoftDeviceOptions(
        maxWorkRequests,
        maxSegments,
        maxInlineBytes,
        maxCompletions,
        readDepth,
        handshakeTimeout,
        peerTimeout,
        atomics,
        value);
  }

  public SoftDeviceOptions withAtomics(Atomics value) {
    return new SoftDeviceOptions(
        maxWorkRequests,
        maxSegments,
        maxInlineBytes,
        maxCompletions,
        readDepth,
        handshakeTimeout,
        peerTimeout,
        value,
        faults);
  }

  public SoftDeviceOptions withTimeouts(Duration handshake, Duration peer) {
    return new SoftDeviceOptions(
        maxWorkRequests,
        maxSegments,
        maxInlineBytes,
        maxCompletions,
        readDepth,
        handshake,
        peer,
        atomics,
        faults);
  }
}
