package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvWC.IbvWcStatus;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.impl.NatIbvCQ;
import com.ibm.disni.verbs.impl.NatIbvContext;
import com.ibm.disni.verbs.impl.NatIbvQP;
import com.ibm.disni.verbs.impl.NatRdmaEventChannel;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.VerbsPair;
import io.regionfs.verbs.VerbsPeer;
import io.regionfs.verbs.VerbsPeer.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** What libdisni does beyond DiSNI's functions, on a real device. */
@Tag("rdma")
@EnabledIfSystemProperty(
    named = NativeDeviceUnderTest.ADDRESS,
    matches = ".+",
    disabledReason = NativeDeviceUnderTest.NONE)
class NativeDeviceTest {
  private static final int BYTES = 1 << 16;
  private static final int WRITABLE =
      IbvMr.IBV_ACCESS_LOCAL_WRITE | IbvMr.IBV_ACCESS_REMOTE_READ | IbvMr.IBV_ACCESS_REMOTE_WRITE;

  private NativeDeviceUnderTest device;
  private VerbsPair pair;
  private final ByteBuffer clientBytes = buffer(BYTES);
  private final ByteBuffer serverBytes = buffer(BYTES);

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  @BeforeEach
  void connect() throws IOException {
    device = new NativeDeviceUnderTest();
    pair =
        new VerbsPair(
            NativeDeviceUnderTest.cm(), NativeDeviceUnderTest.address(), Shape.usual(), 7);
    for (int i = 0; i < BYTES; i++) {
      clientBytes.put(i, (byte) (i * 7));
    }
  }

  @AfterEach
  void close() throws IOException {
    pair.close();
  }

  private static long handle(VerbsPeer peer) {
    return ((NatIbvQP) peer.qp).getObjId();
  }

  private long context() throws IOException {
    return ((NatIbvContext) pair.client.id.getVerbs()).getObjId();
  }

  @Test
  void theDeviceTellsItsLimits() {
    assertThat(device.name()).isNotEmpty();
    assertThat(device.limit(NativeVerbs.MAX_QP_WR)).isPositive();
    assertThat(device.limit(NativeVerbs.MAX_SGE)).isPositive();
    assertThat(device.limit(NativeVerbs.MAX_INITIATED_READS)).isPositive();
    assertThat(device.limit(NativeVerbs.PORT_STATE)).isEqualTo(4); // active
    assertThat(device.limit(NativeVerbs.ACTIVE_MTU)).isBetween(256L, 4096L);
    assertThat(device.limit(NativeVerbs.PORTS)).isPositive();
    assertThat(device.limit(NativeVerbs.MAX_INLINE)).isNotNegative();
  }

  @Test
  void aRequestGathersAsManyPiecesAsTheDeviceCan() throws IOException {
    IbvMr local = pair.client.register(clientBytes, WRITABLE);
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    int pieces = (int) Math.min(device.limit(NativeVerbs.MAX_SGE), 16);
    FlatRequests requests =
        new FlatRequests()
            .add(
                9,
                IbvSendWR.IBV_WR_RDMA_WRITE,
                IbvSendWR.IBV_SEND_SIGNALED,
                remote.getAddr(),
                remote.getRkey());
    for (int i = 0; i < pieces; i++) {
      requests.piece(local, 1000 * i, 100);
    }
    requests.post(pair.client);
    pair.client.expect(9);
    // A WRITE on iWARP is complete before the peer has it; what is read after it is not.
    new FlatRequests()
        .add(
            10,
            IbvSendWR.IBV_WR_RDMA_READ,
            IbvSendWR.IBV_SEND_SIGNALED,
            remote.getAddr(),
            remote.getRkey())
        .piece(local, 0, 1)
        .post(pair.client);
    pair.client.expect(10);
    for (int i = 0; i < pieces; i++) {
      assertThat(serverBytes.slice(100 * i, 100)).isEqualTo(clientBytes.slice(1000 * i, 100));
    }
  }

  @Test
  void aChainOfManyRequestsIsPostedAtOnce() throws IOException {
    IbvMr local = pair.client.register(clientBytes, WRITABLE);
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    FlatRequests requests = new FlatRequests();
    int last = 31;
    for (int i = 0; i < last; i++) {
      requests
          .add(i, IbvSendWR.IBV_WR_RDMA_WRITE, 0, remote.getAddr() + i * 64L, remote.getRkey())
          .piece(local, i * 64, 64);
    }
    requests
        .add(
            last,
            IbvSendWR.IBV_WR_RDMA_READ,
            IbvSendWR.IBV_SEND_SIGNALED,
            remote.getAddr(),
            remote.getRkey())
        .piece(local, BYTES / 2, 64)
        .post(pair.client);
    pair.client.expect(last);
    assertThat(serverBytes.slice(0, last * 64)).isEqualTo(clientBytes.slice(0, last * 64));
    assertThat(clientBytes.slice(BYTES / 2, 64)).isEqualTo(clientBytes.slice(0, 64));
  }

  @Test
  void inlineBytesNeedNoRegistration() throws IOException {
    Assumptions.assumeTrue(device.limit(NativeVerbs.MAX_INLINE) >= 32, "nothing goes inline");
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    pair.server.receive(1, VerbsPeer.piece(remote, 0, 64));
    new FlatRequests()
        .add(
            2, IbvSendWR.IBV_WR_SEND, IbvSendWR.IBV_SEND_SIGNALED | IbvSendWR.IBV_SEND_INLINE, 0, 0)
        .piece(Memory.addressOf(clientBytes), 32, 0)
        .post(pair.client);
    pair.client.expect(2);
    assertThat(pair.server.expect(1).getByte_len()).isEqualTo(32);
    assertThat(serverBytes.slice(0, 32)).isEqualTo(clientBytes.slice(0, 32));
  }

  @Test
  void whatFailsNamesItsQueuePair() throws IOException {
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    pair.server.receive(1, VerbsPeer.piece(remote, 0, 64));
    NativeVerbs.fail(handle(pair.server));
    ByteBuffer completion = buffer(NativeVerbs.COMPLETION_BYTES);
    long deadline = System.nanoTime() + VerbsPeer.DEADLINE_MILLIS * 1_000_000L;
    long queue = ((NatIbvCQ) pair.server.cq).getObjId();
    while (NativeVerbs.poll(queue, Memory.addressOf(completion), 1) == 0) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.onSpinWait();
    }
    assertThat(completion.getLong(NativeVerbs.COMPLETION_ID)).isEqualTo(1);
    assertThat(IbvWcStatus.valueOf(completion.getInt(NativeVerbs.COMPLETION_STATUS)))
        .isEqualTo(IbvWcStatus.IBV_WC_WR_FLUSH_ERR);
    assertThat(completion.getInt(NativeVerbs.COMPLETION_QUEUE_PAIR))
        .isEqualTo(pair.server.qp.getQp_num());
  }

  @Test
  void aRefusalHasAReason() throws IOException {
    RdmaCmId id = VerbsPair.resolve(pair.clientEvents, pair.listener);
    try (VerbsPeer client = new VerbsPeer(id, Shape.usual())) {
      client.id.connect(VerbsPair.parameters(7));
      VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_CONNECT_REQUEST)
          .getConnIdPriv()
          .destroyId();
      VerbsPair.event(pair.clientEvents, EventType.RDMA_CM_EVENT_REJECTED);
      long channel = ((NatRdmaEventChannel) pair.clientEvents).getObjId();
      assertThat(NativeVerbs.eventStatus(channel)).isPositive();
    }
  }

  @Test
  void nothingUnaskedHappensToAHealthyDevice() throws IOException {
    ByteBuffer event = buffer(NativeVerbs.EVENT_BYTES);
    while (NativeVerbs.asyncEvent(context(), 0, Memory.addressOf(event))) {
      // what earlier tests left
    }
    assertThat(NativeVerbs.asyncEvent(context(), 20, Memory.addressOf(event))).isFalse();
  }

  @Test
  void aWrongHandleIsAnException() throws IOException {
    long queuePair = handle(pair.client);
    for (long wrong : new long[] {0, -1, 12_345, queuePair + (1L << 33), context()}) {
      assertThatThrownBy(() -> NativeVerbs.fail(wrong))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("queue pair")
          .hasMessageContaining("errno 9");
    }
    pair.client.id.destroyQP();
    assertThatThrownBy(() -> NativeVerbs.postSend(queuePair, 1, 1))
        .hasMessageContaining("ibv_post_send")
        .hasMessageContaining("errno 9");
  }

  @Test
  void anErrorNamesTheCallAndTheErrno() {
    assertThatThrownBy(() -> pair.client.pd.regMr(8, 4096, WRITABLE).execute())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ibv_reg_mr")
        .hasMessageContaining("errno 14");
  }
}
