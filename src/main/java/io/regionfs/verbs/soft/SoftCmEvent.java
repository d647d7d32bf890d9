package io.regionfs.verbs.soft;

import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaConnParam;
import io.regionfs.posix.Memory;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A connection event. Its private data is memory that lives until the event is acknowledged. */
final class SoftCmEvent extends RdmaCmEvent {
  private long privateData;

  @SuppressWarnings("EnumOrdinal") // how DiSNI numbers events
  SoftCmEvent(
      EventType type, @Nullable RdmaCmId listener, RdmaCmId id, int status, byte[] privateBytes)
      throws IOException {
    super(type.ordinal(), listener, id);
    this.status = status;
    RdmaConnParam parameters = new RdmaConnParam();
    if (privateBytes.length > 0) {
      privateData = Memory.allocate(privateBytes.length);
      Memory.put(privateData, privateBytes, 0, privateBytes.length);
      parameters.setPrivate_data(privateData);
      parameters.setPrivate_data_len((byte) privateBytes.length);
    }
    conn = parameters;
  }

  synchronized void acknowledge() throws IOException {
    if (privateData != 0) {
      conn.setPrivate_data(0);
      conn.setPrivate_data_len((byte) 0);
      Memory.free(privateData);
      privateData = 0;
    }
  }
}
