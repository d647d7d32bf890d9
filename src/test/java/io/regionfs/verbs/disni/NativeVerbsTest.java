package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvSge;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaEventChannel;
import com.ibm.disni.verbs.impl.NatRdmaEventChannel;
import io.regionfs.verbs.VerbsContract;
import io.regionfs.verbs.VerbsPeer;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The contract on a real device, through libdisni. */
@Tag("rdma")
@EnabledIfSystemProperty(
    named = NativeDeviceUnderTest.ADDRESS,
    matches = ".+",
    disabledReason = NativeDeviceUnderTest.NONE)
class NativeVerbsTest extends VerbsContract {
  private static NativeDeviceUnderTest device;

  @BeforeAll
  static void findDevice() throws IOException {
    device = new NativeDeviceUnderTest();
  }

  @Override
  protected RdmaCm cm() throws IOException {
    return NativeDeviceUnderTest.cm();
  }

  @Override
  protected InetSocketAddress address() {
    return NativeDeviceUnderTest.address();
  }

  @Override
  protected boolean hasAtomics() {
    return device.limit(NativeVerbs.ATOMIC_CAP) != 0;
  }

  @Override
  protected boolean hasImmediate() {
    return !device.isIwarp();
  }

  @Override
  protected boolean waitsForReceives() {
    return !device.isIwarp();
  }

  @Override
  protected boolean writesOvertakeReads() {
    return device.isIwarp();
  }

  @Override
  protected boolean checksReadAccess() {
    return !device.name().startsWith("siw");
  }

  @Override
  protected int maxReadSegments() {
    return (int) device.limit(NativeVerbs.MAX_SGE_RD);
  }

  @Override
  protected byte[] privateData(RdmaEventChannel channel, RdmaCmEvent event) throws IOException {
    return NativeVerbs.eventData(((NatRdmaEventChannel) channel).getObjId());
  }

  @Override
  protected void postAtomic(VerbsPeer peer, IbvSendWR request) throws IOException {
    IbvSge piece = request.getSge(0);
    new FlatRequests()
        .add(
            request.getWr_id(),
            request.getOpcode(),
            request.getSend_flags(),
            request.getAtomic().getRemote_addr(),
            request.getAtomic().getRkey())
        .operands(request.getAtomic().getCompare_add(), request.getAtomic().getSwap())
        .piece(piece.getAddr(), piece.getLength(), piece.getLkey())
        .post(peer);
  }
}
