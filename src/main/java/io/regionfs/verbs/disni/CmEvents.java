package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaConnParam;
import com.ibm.disni.verbs.RdmaEventChannel;
import io.regionfs.verbs.TransferException;
import io.regionfs.verbs.TransferException.Reason;
import java.io.IOException;

/** Waiting for events of the connection manager. */
final class CmEvents {
  /** How long a wait lasts until interrupts and shutdown are looked at. */
  static final int SLICE_MILLIS = 50;

  /**
   * The most the wire knows; DiSNI's default is none at all. How many reads may be outstanding is
   * the provider's choice: DiSNI refuses to set it. The device holds back what is beyond.
   */
  private static final byte RETRIES = 7;

  private static final byte[] NOTHING = new byte[0];

  private CmEvents() {}

  static RdmaConnParam parameters() throws IOException {
    RdmaConnParam parameters = new RdmaConnParam();
    parameters.setRetry_count(RETRIES);
    parameters.setRnr_retry_count(RETRIES);
    return parameters;
  }

  static EventType typeOf(RdmaCmEvent event) {
    int type = event.getEvent();
    EventType[] types = EventType.values();
    return type >= 0 && type < types.length ? types[type] : EventType.RDMA_CM_EVENT_CONNECT_ERROR;
  }

  /**
   * Waits on a channel that serves one identifier, until the expected event or another one.
   *
   * @return the private data of the expected event
   */
  static byte[] expect(RdmaEventChannel channel, EventType expected, long until)
      throws IOException, TransferException, InterruptedException {
    for (; ; ) {
      if (Thread.interrupted()) {
        throw new InterruptedException("while connecting");
      }
      long left = millisUntil(until);
      if (left <= 0) {
        throw new TransferException(Reason.TIMED_OUT, "no " + expected + " within the deadline");
      }
      RdmaCmEvent event = channel.getCmEvent((int) Math.min(left, SLICE_MILLIS));
      if (event == null) {
        continue;
      }
      EventType type = typeOf(event);
      int status = PrivateData.statusOf(channel, event);
      byte[] data = type == expected ? PrivateData.of(channel, event) : NOTHING;
      event.ackEvent();
      if (type == expected) {
        return data;
      }
      throw new TransferException(Reason.DISCONNECTED, type + " (status " + status + ")");
    }
  }

  /** Milliseconds until a point of System.nanoTime, rounded up. */
  static long millisUntil(long until) {
    return (until - System.nanoTime() + 999_999) / 1_000_000;
  }
}
