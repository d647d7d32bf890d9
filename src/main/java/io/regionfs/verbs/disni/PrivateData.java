package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaConnParam;
import com.ibm.disni.verbs.RdmaEventChannel;
import com.ibm.disni.verbs.impl.NatObject;
import io.regionfs.posix.Memory;
import java.io.IOException;

/**
 * The few bytes that travel with connecting and accepting. DiSNI has them in its parameters, but
 * its native code sends them one way only and hands none out: there libdisni is asked.
 */
final class PrivateData {
  private PrivateData() {}

  static void connect(RdmaCmId id, byte[] data) throws IOException {
    send(id, data, id::connect);
  }

  static void accept(RdmaCmId id, byte[] data) throws IOException {
    send(id, data, id::accept);
  }

  @FunctionalInterface
  private interface Step {
    void with(RdmaConnParam parameters) throws IOException;
  }

  private static void send(RdmaCmId id, byte[] data, Step step) throws IOException {
    RdmaConnParam parameters = CmEvents.parameters();
    if (id instanceof NatObject handle) {
      NativeVerbs.setPrivateData(handle.getObjId(), data);
      step.with(parameters);
      return;
    }
    long copy = Memory.allocate(data.length);
    try {
      Memory.put(copy, data, 0, data.length);
      parameters.setPrivate_data(copy);
      parameters.setPrivate_data_len((byte) data.length);
      step.with(parameters);
    } finally {
      Memory.free(copy);
    }
  }

  /** Of the channel's last event, before it is acknowledged; may be longer than what was sent. */
  static byte[] of(RdmaEventChannel channel, RdmaCmEvent event) throws IOException {
    if (channel instanceof NatObject handle) {
      return NativeVerbs.eventData(handle.getObjId());
    }
    RdmaConnParam parameters = event.getConn();
    int length =
        parameters == null || parameters.getPrivate_data() == 0
            ? 0
            : parameters.getPrivate_data_len() & 0xff;
    byte[] data = new byte[length];
    if (length > 0) {
      Memory.get(parameters.getPrivate_data(), data, 0, length);
    }
    return data;
  }

  /** Why the channel's last event came: 0 or an errno, on some transports a reason of their own. */
  static int statusOf(RdmaEventChannel channel, RdmaCmEvent event) throws IOException {
    return channel instanceof NatObject handle
        ? NativeVerbs.eventStatus(handle.getObjId())
        : event.getStatus();
  }
}
