package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.impl.NatObject;
import io.regionfs.verbs.device.DeviceName;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The device that an identifier with an address was given, asked through libdisni.
 *
 * @param context handle of its context
 */
record NativeDevice(long context, String name, int port) {
  /** Null: it is a software device. */
  static @Nullable NativeDevice of(RdmaCmId id, IbvContext context) throws IOException {
    return context instanceof NatObject device && id instanceof NatObject bound
        ? new NativeDevice(
            device.getObjId(),
            NativeVerbs.deviceName(device.getObjId()),
            NativeVerbs.port(bound.getObjId()))
        : null;
  }

  boolean is(DeviceName wanted) {
    return name.equals(wanted.device()) && (wanted.port() == 0 || wanted.port() == port);
  }

  @Override
  public String toString() {
    return name + ":" + port;
  }
}
