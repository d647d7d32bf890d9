package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.impl.NatObject;
import io.regionfs.verbs.DeviceLimits;
import java.io.IOException;

/**
 * Hands batches to the send queue of one queue pair; makes no objects once it is warm. Only the
 * last request of a batch is signalled: its completion tells that all before it are complete. For
 * one thread at a time, and not after {@link #free}.
 */
interface SendQueue {
  /**
   * Hands over all of a batch, atomics too; its completions carry the id.
   *
   * @throws IOException if the device did not take all of it
   */
  void post(DisniBatch batch, long id) throws IOException;

  /** How many operations a queue of so many requests is sure to hold; a power of two too. */
  int operations(int depth);

  void free();

  /** The way that fits the device. */
  static SendQueue of(IbvQP queuePair, DeviceLimits limits) {
    return queuePair instanceof NatObject device
        ? new NativeSendQueue(device.getObjId(), limits.transport().equals("iWARP"))
        : new WorkChains(queuePair);
  }
}
