package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import com.ibm.disni.verbs.impl.NatIbvContext;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The RDMA device that the system property ADDRESS names by an address of it. */
final class NativeDeviceUnderTest {
  static final String ADDRESS = "regionfs.rdma.address";
  static final String NONE = "no RDMA device: run scripts/test --rdma";
  private static final int IWARP = 1;

  private final ByteBuffer limits;
  private final String name;

  NativeDeviceUnderTest() throws IOException {
    RdmaEventChannel events = cm().createEventChannel();
    RdmaCmId id = events.createId(RdmaCm.RDMA_PS_TCP);
    id.bindAddr(address());
    IbvContext context = id.getVerbs();
    long handle = ((NatIbvContext) context).getObjId();
    name = NativeVerbs.deviceName(handle);
    limits = ByteBuffer.allocateDirect(NativeVerbs.ATTRIBUTE_BYTES).order(ByteOrder.nativeOrder());
    int port = NativeVerbs.port(((com.ibm.disni.verbs.impl.NatCmaIdPrivate) id).getObjId());
    NativeVerbs.queryDevice(handle, port, Memory.addressOf(limits));
    id.destroyId();
    events.destroyEventChannel();
  }

  static RdmaCm cm() throws IOException {
    NativeProvider.seat();
    return RdmaCm.open();
  }

  /** With port 0. */
  static InetSocketAddress address() {
    return new InetSocketAddress(System.getProperty(ADDRESS), 0);
  }

  String name() {
    return name;
  }

  long limit(int attribute) {
    return limits.getLong(attribute * Long.BYTES);
  }

  boolean isIwarp() {
    return limit(NativeVerbs.TRANSPORT_TYPE) == IWARP;
  }
}
