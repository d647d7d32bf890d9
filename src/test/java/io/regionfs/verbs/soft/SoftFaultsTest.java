package io.regionfs.verbs.soft;

import static org.assertj.core.api.Assertions.assertThat;

import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvWC.IbvWcStatus;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import io.regionfs.verbs.VerbsPair;
import io.regionfs.verbs.VerbsPeer;
import io.regionfs.verbs.VerbsPeer.Shape;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Injected faults look like the real thing. */
class SoftFaultsTest {
  private static final int BYTES = 4 << 20;
  private static final int ALL =
      IbvMr.IBV_ACCESS_LOCAL_WRITE | IbvMr.IBV_ACCESS_REMOTE_READ | IbvMr.IBV_ACCESS_REMOTE_WRITE;

  private final SoftFaults faults = new SoftFaults();
  private final ByteBuffer clientBytes = ByteBuffer.allocateDirect(BYTES);
  private final ByteBuffer serverBytes = ByteBuffer.allocateDirect(BYTES);
  private RdmaCm cm;
  private VerbsPair pair;
  private IbvMr local;
  private IbvMr remote;

  @BeforeEach
  void connect() throws IOException {
    SoftDevice.install(SoftDeviceOptions.defaults());
    SoftDevice device =
        new SoftDevice(
            SoftDeviceOptions.defaults()
                .withFaults(faults)
                .withTimeouts(Duration.ofMillis(500), Duration.ofSeconds(10)));
    cm = new SoftProvider(device).openCm();
    pair = new VerbsPair(cm, loopback(), Shape.usual(), 7);
    local = pair.client.register(clientBytes, ALL);
    remote = pair.server.register(serverBytes, ALL);
  }

  private static InetSocketAddress loopback() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  @AfterEach
  void close() throws IOException {
    faults.drop(false);
    pair.close();
  }

  private IbvSendWR read(long number, int bytes) {
    return VerbsPeer.at(
        VerbsPeer.request(number, IbvSendWR.IBV_WR_RDMA_READ, VerbsPeer.piece(local, 0, bytes)),
        remote.getAddr(),
        remote.getRkey());
  }

  private IbvSendWR write(long number, int bytes) {
    return VerbsPeer.at(
        VerbsPeer.request(number, IbvSendWR.IBV_WR_RDMA_WRITE, VerbsPeer.piece(local, 0, bytes)),
        remote.getAddr(),
        remote.getRkey());
  }

  @Test
  void aCutLinkFailsWhatIsUnderWay() throws IOException {
    faults.drop(true);
    pair.client.post(read(1, 4096), read(2, 4096));
    pair.client.expectNothing();
    faults.cut();
    faults.drop(false);
    pair.client.expect(1, IbvWcStatus.IBV_WC_RETRY_EXC_ERR);
    pair.client.expect(2, IbvWcStatus.IBV_WC_WR_FLUSH_ERR);
    VerbsPair.event(pair.clientEvents, EventType.RDMA_CM_EVENT_DISCONNECTED);
    VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_DISCONNECTED);
  }

  @Test
  void aLinkBreaksInTheMiddleOfAWrite() throws IOException {
    faults.cutAfter(1 << 20);
    pair.client.post(write(1, BYTES), write(2, BYTES));
    pair.client.expect(1, IbvWcStatus.IBV_WC_RETRY_EXC_ERR);
    pair.client.expect(2, IbvWcStatus.IBV_WC_WR_FLUSH_ERR);
    VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_DISCONNECTED);
  }

  @Test
  void whatIsDroppedArrivesWhenTheLinkHeals() throws IOException {
    serverBytes.putLong(0, 42);
    faults.drop(true);
    pair.client.post(read(1, 4096));
    assertThat(pair.client.channel.getCqEvent(pair.client.cq, 50)).isFalse();
    pair.client.expectNothing();
    faults.drop(false);
    pair.client.expect(1);
    assertThat(clientBytes.getLong(0)).isEqualTo(42);
  }

  @Test
  void aDelayHoldsBackButLosesNothing() throws IOException {
    faults.delay(Duration.ofMillis(20));
    long begin = System.nanoTime();
    pair.client.post(read(1, 4096), write(2, 4096));
    pair.client.expect(1);
    pair.client.expect(2);
    assertThat(System.nanoTime() - begin).isGreaterThan(20_000_000L);
  }

  @Test
  void aRefusingListenerIsUnreachable() throws IOException {
    faults.refuse(true);
    RdmaEventChannel events = cm.createEventChannel();
    RdmaCmId id = VerbsPair.resolve(events, pair.listener);
    try (VerbsPeer client = new VerbsPeer(id, Shape.usual())) {
      client.id.connect(VerbsPair.parameters(7));
      VerbsPair.event(events, EventType.RDMA_CM_EVENT_UNREACHABLE);
    }
    events.destroyEventChannel();
  }

  @Test
  void aPeerThatNeverAcceptsIsUnreachable() throws IOException {
    RdmaEventChannel events = cm.createEventChannel();
    RdmaCmId id = VerbsPair.resolve(events, pair.listener);
    try (VerbsPeer client = new VerbsPeer(id, Shape.usual())) {
      client.id.connect(VerbsPair.parameters(7));
      RdmaCmId child =
          VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_CONNECT_REQUEST)
              .getConnIdPriv();
      VerbsPair.event(events, EventType.RDMA_CM_EVENT_UNREACHABLE);
      child.destroyId();
    }
    events.destroyEventChannel();
  }
}
