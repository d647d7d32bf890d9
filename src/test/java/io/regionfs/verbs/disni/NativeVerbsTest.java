package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvSge;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaEventChannel;
import com.ibm.disni.verbs.impl.NatIbvQP;
import com.ibm.disni.verbs.impl.NatRdmaEventChannel;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.VerbsContract;
import io.regionfs.verbs.VerbsPeer;
import java.io.IOException;
import java.lang.ref.Reference;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The contract on a real device, through libdisni. */
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
    ByteBuffer flat =
        ByteBuffer.allocateDirect(NativeVerbs.REQUEST_BYTES + NativeVerbs.PIECE_BYTES)
            .order(ByteOrder.nativeOrder())
            .putLong(NativeVerbs.REQUEST_ID, request.getWr_id())
            .putInt(NativeVerbs.REQUEST_OPCODE, request.getOpcode())
            .putInt(NativeVerbs.REQUEST_FLAGS, request.getSend_flags())
            .putLong(NativeVerbs.REQUEST_REMOTE_ADDRESS, request.getAtomic().getRemote_addr())
            .putInt(NativeVerbs.REQUEST_REMOTE_KEY, request.getAtomic().getRkey())
            .putLong(NativeVerbs.REQUEST_COMPARE_OR_ADD, request.getAtomic().getCompare_add())
            .putLong(NativeVerbs.REQUEST_SWAP, request.getAtomic().getSwap())
            .putInt(NativeVerbs.REQUEST_PIECES, 1);
    int at = NativeVerbs.REQUEST_BYTES;
    flat.putLong(at + NativeVerbs.PIECE_ADDRESS, piece.getAddr())
        .putInt(at + NativeVerbs.PIECE_LENGTH, piece.getLength())
        .putInt(at + NativeVerbs.PIECE_KEY, piece.getLkey());
    try {
      NativeVerbs.postSend(((NatIbvQP) peer.qp).getObjId(), Memory.addressOf(flat), 1);
    } finally {
      Reference.reachabilityFence(flat);
    }
  }
}
