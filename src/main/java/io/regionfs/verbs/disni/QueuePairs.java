package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvPd;
import com.ibm.disni.verbs.IbvQP;
import com.ibm.disni.verbs.IbvQPInitAttr;
import com.ibm.disni.verbs.RdmaCmId;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.DeviceLimits;
import java.io.IOException;

/** The shape of the queue pairs of connections, within a device's limits. */
final class QueuePairs {
  /** Most work requests that one connection has with the device; a power of two. */
  static final int MOST_REQUESTS = 128;

  private QueuePairs() {}

  /** How many work requests a connection may have with a device of these limits: a power of two. */
  static int depth(DeviceLimits limits) {
    int most = Math.min(limits.workRequests(), limits.completions() / 2);
    return Integer.highestOneBit(Math.min(MOST_REQUESTS, most));
  }

  /**
   * Checks that the longest batch fits.
   *
   * @throws IOException if the device is too small for it
   */
  static void requireRoom(DeviceLimits limits) throws IOException {
    if (depth(limits) < Batch.MAX_OPERATIONS) {
      throw new IOException(
          "device "
              + limits.device()
              + " is too small: its queues hold "
              + limits.workRequests()
              + " work requests and "
              + limits.completions()
              + " completions");
    }
  }

  /** Makes one for the identifier of a connection, which has the domain's memory at its call. */
  static IbvQP make(RdmaCmId id, IbvPd domain, CompletionQueue completions, int depth)
      throws IOException {
    IbvQPInitAttr attributes = new IbvQPInitAttr();
    attributes.cap().setMax_send_wr(depth);
    attributes.cap().setMax_send_sge(1);
    attributes.cap().setMax_recv_wr(1);
    attributes.cap().setMax_recv_sge(1);
    attributes.cap().setMax_inline_data(0);
    attributes.setQp_type(IbvQP.IBV_QPT_RC);
    attributes.setSend_cq(completions.queue());
    attributes.setRecv_cq(completions.queue());
    IbvQP queuePair = id.createQP(domain, attributes);
    if (queuePair == null) {
      throw new IOException("the device has no queue pair left");
    }
    return queuePair;
  }
}
