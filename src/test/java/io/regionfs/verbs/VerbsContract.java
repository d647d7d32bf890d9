package io.regionfs.verbs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.ibm.disni.util.MemoryUtils;
import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvPd;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvSge;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.IbvWC.IbvWcOpcode;
import com.ibm.disni.verbs.IbvWC.IbvWcStatus;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaConnParam;
import com.ibm.disni.verbs.RdmaEventChannel;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.VerbsPeer.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What any device beneath DiSNI does, be it software, siw, rxe or a NIC. */
@SuppressWarnings(
    "EnumOrdinal") // DiSNI's events and statuses are numbers in the order of its enums
public abstract class VerbsContract {
  private static final int BYTES = 1 << 20;
  private static final int LOCAL = IbvMr.IBV_ACCESS_LOCAL_WRITE;
  private static final int READABLE = LOCAL | IbvMr.IBV_ACCESS_REMOTE_READ;
  private static final int WRITABLE = READABLE | IbvMr.IBV_ACCESS_REMOTE_WRITE;

  protected VerbsPair pair;
  protected ByteBuffer clientBytes;
  protected ByteBuffer serverBytes;

  /** Opens the device's connection manager. */
  protected abstract RdmaCm cm() throws IOException;

  /** Where a listener binds, with port 0. */
  protected abstract InetSocketAddress address();

  protected boolean hasAtomics() {
    return true;
  }

  /** Whether WRITE and SEND can carry an immediate. */
  protected boolean hasImmediate() {
    return true;
  }

  /** Whether a SEND waits for a receive; iWARP ends the connection instead. */
  protected boolean waitsForReceives() {
    return true;
  }

  /**
   * Whether a WRITE may complete before a READ that was posted before it, unless it is fenced, as
   * with siw.
   */
  protected boolean writesOvertakeReads() {
    return false;
  }

  /** Whether memory must grant READs to be read; siw asks for its key only. */
  protected boolean checksReadAccess() {
    return true;
  }

  /** Segments that the target of a READ may have. */
  protected int maxReadSegments() {
    return 4;
  }

  /**
   * Whether limits are kept to the entry and failures have the very status that the InfiniBand
   * specification gives them. Real devices round limits up, and iWARP completes a WRITE before the
   * peer has seen it.
   */
  protected boolean isStrict() {
    return false;
  }

  /** The private data of an event that its channel has just given. */
  protected byte[] privateData(RdmaEventChannel channel, RdmaCmEvent event) throws IOException {
    byte[] copy = new byte[event.getConn().getPrivate_data_len() & 0xff];
    Memory.get(event.getConn().getPrivate_data(), copy, 0, copy.length);
    return copy;
  }

  /** Posts one atomic request. */
  protected void postAtomic(VerbsPeer peer, IbvSendWR request) throws IOException {
    peer.post(request);
  }

  @BeforeEach
  void connect() throws IOException {
    pair = new VerbsPair(cm(), address(), Shape.usual(), 7);
    clientBytes = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.nativeOrder());
    serverBytes = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.nativeOrder());
    for (int i = 0; i < BYTES; i += 4) {
      clientBytes.putInt(i, i * 31);
      serverBytes.putInt(i, -i * 17);
    }
  }

  @AfterEach
  void close() throws IOException {
    pair.close();
  }

  private static IbvSendWR read(long number, IbvMr to, IbvMr from, int offset, int bytes) {
    return VerbsPeer.at(
        VerbsPeer.request(number, IbvSendWR.IBV_WR_RDMA_READ, VerbsPeer.piece(to, offset, bytes)),
        from.getAddr() + offset,
        from.getRkey());
  }

  /** A WRITE in a list with READs: where it would overtake them it is fenced. */
  private IbvSendWR writeInOrder(long number, IbvMr from, IbvMr to, int offset, int bytes) {
    IbvSendWR request = write(number, from, to, offset, bytes);
    if (writesOvertakeReads()) {
      request.setSend_flags(IbvSendWR.IBV_SEND_SIGNALED | IbvSendWR.IBV_SEND_FENCE);
    }
    return request;
  }

  private static IbvSendWR write(long number, IbvMr from, IbvMr to, int offset, int bytes) {
    return VerbsPeer.at(
        VerbsPeer.request(
            number, IbvSendWR.IBV_WR_RDMA_WRITE, VerbsPeer.piece(from, offset, bytes)),
        to.getAddr() + offset,
        to.getRkey());
  }

  @Test
  void readCopiesThePeersMemory() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, READABLE);
    for (int bytes : new int[] {1, 64, 4096, 65_536, BYTES}) {
      pair.client.post(read(bytes, local, remote, 0, bytes));
      IbvWC done = pair.client.expect(bytes);
      assertThat(done.getOpcode()).isEqualTo(IbvWcOpcode.IBV_WC_RDMA_READ.getOpcode());
      assertThat(clientBytes.slice(0, bytes)).isEqualTo(serverBytes.slice(0, bytes));
    }
  }

  @Test
  void writeChangesThePeersMemoryAndNoMore() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    ByteBuffer before = ByteBuffer.allocate(BYTES).put(serverBytes.duplicate()).flip();
    pair.client.post(write(1, local, remote, 4096, 500_000));
    pair.client.expect(1);
    assertThat(serverBytes.slice(4096, 500_000)).isEqualTo(clientBytes.slice(4096, 500_000));
    assertThat(serverBytes.slice(0, 4096)).isEqualTo(before.slice(0, 4096));
    int rest = 4096 + 500_000;
    assertThat(serverBytes.slice(rest, BYTES - rest)).isEqualTo(before.slice(rest, BYTES - rest));
  }

  @Test
  void sendFillsTheOldestReceive() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, LOCAL);
    pair.server.receive(7, VerbsPeer.piece(remote, 0, 1000));
    pair.server.receive(8, VerbsPeer.piece(remote, 1000, 5000), VerbsPeer.piece(remote, 9000, 100));
    pair.client.post(
        VerbsPeer.request(1, IbvSendWR.IBV_WR_SEND, VerbsPeer.piece(local, 0, 900)),
        VerbsPeer.request(2, IbvSendWR.IBV_WR_SEND, VerbsPeer.piece(local, 2000, 5100)));
    IbvWC first = pair.server.expect(7);
    assertThat(first.getOpcode()).isEqualTo(IbvWcOpcode.IBV_WC_RECV.getOpcode());
    assertThat(first.getByte_len()).isEqualTo(900);
    assertThat(pair.server.expect(8).getByte_len()).isEqualTo(5100);
    assertThat(serverBytes.slice(0, 900)).isEqualTo(clientBytes.slice(0, 900));
    assertThat(serverBytes.slice(1000, 5000)).isEqualTo(clientBytes.slice(2000, 5000));
    assertThat(serverBytes.slice(9000, 100)).isEqualTo(clientBytes.slice(7000, 100));
    pair.client.expect(1);
    pair.client.expect(2);
  }

  @Test
  void requestsOfAListCompleteInOrder() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    IbvSendWR[] list = new IbvSendWR[24];
    for (int i = 0; i < list.length; i++) {
      int offset = i * 8192;
      list[i] =
          i % 3 == 0
              ? read(i, local, remote, offset, 8192)
              : writeInOrder(i, local, remote, offset, i % 3 == 1 ? 10 : 8192);
    }
    for (int round = 0; round < 20; round++) {
      pair.client.post(list);
      for (int i = 0; i < list.length; i++) {
        pair.client.expect(i);
      }
    }
  }

  @Test
  void aReadAfterAWriteSeesIt() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    for (int i = 1; i <= 200; i++) {
      clientBytes.putInt(0, i);
      IbvSendWR back =
          VerbsPeer.at(
              VerbsPeer.request(2, IbvSendWR.IBV_WR_RDMA_READ, VerbsPeer.piece(local, 512, 4)),
              remote.getAddr(),
              remote.getRkey());
      pair.client.post(write(1, local, remote, 0, 4), back);
      pair.client.expect(1);
      pair.client.expect(2);
      assertThat(clientBytes.getInt(512)).isEqualTo(i);
    }
  }

  @Test
  void unsignalledRequestsSayNothing() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    for (int round = 0; round < 30; round++) {
      IbvSendWR silent = write(1, local, remote, 0, 100);
      silent.setSend_flags(0);
      pair.client.post(silent, silent, write(2, local, remote, 100, 100));
      pair.client.expect(2);
      pair.client.expectNothing();
    }
  }

  @Test
  void inlineBytesMayBeReusedAtOnce() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, LOCAL);
    IbvSendWR inline = VerbsPeer.request(1, IbvSendWR.IBV_WR_SEND, VerbsPeer.piece(local, 0, 32));
    inline.setSend_flags(IbvSendWR.IBV_SEND_SIGNALED | IbvSendWR.IBV_SEND_INLINE);
    for (int i = 0; i < 16; i++) {
      pair.server.receive(i, VerbsPeer.piece(remote, i * 64, 64));
    }
    for (int i = 0; i < 16; i++) {
      clientBytes.putInt(0, i);
      pair.client.post(inline);
    }
    for (int i = 0; i < 16; i++) {
      pair.server.expect(i);
      pair.client.expect(1);
      assertThat(serverBytes.getInt(i * 64)).isEqualTo(i);
    }
  }

  @Test
  void severalSegmentsAreOneMessage() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    IbvSendWR gather =
        VerbsPeer.at(
            VerbsPeer.request(
                1,
                IbvSendWR.IBV_WR_RDMA_WRITE,
                VerbsPeer.piece(local, 0, 100_000),
                VerbsPeer.piece(local, 500_000, 7)),
            remote.getAddr(),
            remote.getRkey());
    pair.client.post(gather);
    pair.client.expect(1);
    assertThat(serverBytes.slice(0, 100_000)).isEqualTo(clientBytes.slice(0, 100_000));
    assertThat(serverBytes.slice(100_000, 7)).isEqualTo(clientBytes.slice(500_000, 7));
    if (maxReadSegments() > 1) {
      IbvSendWR scatter =
          VerbsPeer.at(
              VerbsPeer.request(
                  2,
                  IbvSendWR.IBV_WR_RDMA_READ,
                  VerbsPeer.piece(local, 10, 3),
                  VerbsPeer.piece(local, 200_000, 300_000)),
              remote.getAddr() + 600_000,
              remote.getRkey());
      pair.client.post(scatter);
      pair.client.expect(2);
      assertThat(clientBytes.slice(10, 3)).isEqualTo(serverBytes.slice(600_000, 3));
      assertThat(clientBytes.slice(200_000, 300_000))
          .isEqualTo(serverBytes.slice(600_003, 300_000));
    }
  }

  /** The next completion is a failure, of this kind if the device is strict; the rest flushes. */
  private void expectFailure(VerbsPeer peer, long number, IbvWcStatus status) throws IOException {
    IbvWC completion = peer.next();
    assertThat(completion.getWr_id()).isEqualTo(number);
    assertThat(completion.getStatus()).isNotZero();
    if (isStrict()) {
      assertThat(IbvWcStatus.valueOf(completion.getStatus())).isEqualTo(status);
    }
  }

  @Test
  void memoryIsReachedOnlyWithItsKeyInItsBoundsAndAsGranted() throws IOException {
    Assumptions.assumeTrue(checksReadAccess(), "the device lets all memory be read");
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, LOCAL);
    pair.client.post(read(1, local, remote, 0, 8), read(2, local, remote, 0, 8));
    expectFailure(pair.client, 1, IbvWcStatus.IBV_WC_REM_ACCESS_ERR);
    expectFailure(pair.client, 2, IbvWcStatus.IBV_WC_WR_FLUSH_ERR);
  }

  @Test
  void aReadEndsInItsBounds() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, READABLE);
    IbvSendWR request = read(1, local, remote, 0, 4096);
    request.getRdma().setRemote_addr(remote.getAddr() + BYTES - 4095);
    pair.client.post(request);
    expectFailure(pair.client, 1, IbvWcStatus.IBV_WC_REM_ACCESS_ERR);
  }

  @Test
  void aStaleKeyOpensNothing() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, READABLE);
    pair.client.post(read(1, local, remote, 0, 4096));
    pair.client.expect(1);
    IbvSendWR stale = read(2, local, remote, 0, 4096);
    pair.server.deregister(remote);
    pair.client.post(stale);
    expectFailure(pair.client, 2, IbvWcStatus.IBV_WC_REM_ACCESS_ERR);
  }

  @Test
  void readOnlyMemoryIsNotWritten() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, READABLE);
    int before = serverBytes.getInt(0);
    clientBytes.putInt(0, ~before);
    IbvSendWR write = write(1, local, remote, 0, 4);
    write.setSend_flags(0);
    pair.client.post(write, read(2, local, remote, 0, 4));
    IbvWC first = pair.client.next();
    assertThat(first.getStatus()).isNotZero();
    if (isStrict()) {
      assertThat(first.getWr_id()).isEqualTo(1);
      assertThat(IbvWcStatus.valueOf(first.getStatus()))
          .isEqualTo(IbvWcStatus.IBV_WC_REM_ACCESS_ERR);
    }
    assertThat(serverBytes.getInt(0)).isEqualTo(before);
  }

  @Test
  void memoryOfAnotherDomainIsNotReached() throws Exception {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvPd other = pair.server.id.getVerbs().allocPd();
    IbvMr remote = other.regMr(serverBytes, READABLE).execute().getMr();
    pair.client.post(read(1, local, remote, 0, 8));
    expectFailure(pair.client, 1, IbvWcStatus.IBV_WC_REM_ACCESS_ERR);
    remote.deregMr().execute();
    other.deallocPd();
  }

  /** Some devices find a bad local key when it is posted, others when its turn comes. */
  private void failsLocally(IbvSendWR request) throws IOException {
    try {
      pair.client.post(request);
    } catch (IOException refused) {
      assertThat(isStrict()).as("refused at once: " + refused).isFalse();
      return;
    }
    expectFailure(pair.client, request.getWr_id(), IbvWcStatus.IBV_WC_LOC_PROT_ERR);
  }

  @Test
  void aBadLocalKeyFails() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    IbvSendWR request = write(1, local, remote, 0, 8);
    request.getSge(0).setLkey(local.getLkey() ^ 0x5a5a5a5a);
    failsLocally(request);
  }

  @Test
  void aReadDoesNotGoToMemoryThatIsNotWritable() throws IOException {
    IbvMr local = pair.client.register(clientBytes, 0);
    IbvMr remote = pair.server.register(serverBytes, READABLE);
    failsLocally(read(1, local, remote, 0, 8));
  }

  @Test
  void aMessageLongerThanItsReceiveFailsOnBothSides() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, LOCAL);
    pair.server.receive(7, VerbsPeer.piece(remote, 0, 100));
    pair.client.post(VerbsPeer.request(1, IbvSendWR.IBV_WR_SEND, VerbsPeer.piece(local, 0, 101)));
    expectFailure(pair.server, 7, IbvWcStatus.IBV_WC_LOC_LEN_ERR);
    IbvWC sent = pair.client.next();
    if (isStrict()) {
      assertThat(IbvWcStatus.valueOf(sent.getStatus()))
          .isEqualTo(IbvWcStatus.IBV_WC_REM_INV_REQ_ERR);
    }
  }

  @Test
  void aSendWaitsForItsReceive() throws IOException {
    Assumptions.assumeTrue(waitsForReceives(), "the device does not wait");
    IbvMr local = pair.client.register(clientBytes, READABLE);
    IbvMr remote = pair.server.register(serverBytes, READABLE);
    pair.client.post(
        VerbsPeer.request(1, IbvSendWR.IBV_WR_SEND, VerbsPeer.piece(local, 0, 70_000)),
        VerbsPeer.request(2, IbvSendWR.IBV_WR_SEND, VerbsPeer.piece(local, 70_000, 10)),
        read(3, local, remote, 200_000, 4096));
    pair.server.post(read(9, remote, local, 300_000, 4096));
    pair.server.expect(9);
    pair.client.expectNothing();
    pair.server.receive(7, VerbsPeer.piece(remote, 0, 70_000));
    assertThat(pair.server.expect(7).getByte_len()).isEqualTo(70_000);
    pair.client.expect(1);
    pair.server.receive(8, VerbsPeer.piece(remote, 70_000, 10));
    assertThat(pair.server.expect(8).getByte_len()).isEqualTo(10);
    pair.client.expect(2);
    pair.client.expect(3);
    assertThat(serverBytes.slice(0, 70_010)).isEqualTo(clientBytes.slice(0, 70_010));
  }

  @Test
  void aSendGivesUpWhenItMayNotWaitLonger() throws IOException {
    Assumptions.assumeTrue(waitsForReceives(), "the device does not wait");
    try (VerbsPair hasty = new VerbsPair(cm(), address(), Shape.usual(), 2)) {
      IbvMr local = hasty.client.register(clientBytes, LOCAL);
      hasty.client.post(VerbsPeer.request(1, IbvSendWR.IBV_WR_SEND, VerbsPeer.piece(local, 0, 10)));
      expectFailure(hasty.client, 1, IbvWcStatus.IBV_WC_RNR_RETRY_EXC_ERR);
    }
  }

  @Test
  void whatIsPostedFlushesWhenTheConnectionEnds() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, LOCAL);
    for (int i = 0; i < 3; i++) {
      pair.client.receive(i, VerbsPeer.piece(local, i * 100, 100));
      pair.server.receive(10 + i, VerbsPeer.piece(remote, i * 100, 100));
    }
    pair.client.id.disconnect();
    VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_DISCONNECTED);
    pair.server.id.disconnect(); // the answer that the client's device waits for
    VerbsPair.event(pair.clientEvents, EventType.RDMA_CM_EVENT_DISCONNECTED);
    for (int i = 0; i < 3; i++) {
      pair.client.expect(i, IbvWcStatus.IBV_WC_WR_FLUSH_ERR);
      pair.server.expect(10 + i, IbvWcStatus.IBV_WC_WR_FLUSH_ERR);
    }
    IbvSendWR late = VerbsPeer.request(5, IbvSendWR.IBV_WR_SEND, VerbsPeer.piece(local, 0, 8));
    try {
      pair.client.post(late);
    } catch (IOException refused) {
      assertThat(isStrict()).as("refused at once: " + refused).isFalse();
      return;
    }
    pair.client.expect(5, IbvWcStatus.IBV_WC_WR_FLUSH_ERR);
  }

  @Test
  void aDestroyedEndIsSeenByItsPeer() throws IOException {
    IbvMr remote = pair.server.register(serverBytes, LOCAL);
    pair.server.receive(1, VerbsPeer.piece(remote, 0, 100));
    pair.client.id.disconnect();
    pair.client.id.destroyQP();
    VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_DISCONNECTED);
  }

  @Test
  void onlyAConnectedQueuePairSends() throws IOException {
    try (VerbsPeer alone =
        new VerbsPeer(VerbsPair.resolve(pair.clientEvents, pair.listener), Shape.usual())) {
      IbvMr local = alone.register(clientBytes, LOCAL);
      IbvSendWR send = VerbsPeer.request(1, IbvSendWR.IBV_WR_SEND, VerbsPeer.piece(local, 0, 8));
      assertThatThrownBy(() -> alone.post(send)).isInstanceOf(IOException.class);
      alone.receive(2, VerbsPeer.piece(local, 0, 8));
    }
  }

  @Test
  void queuesHoldWhatWasAskedForAndNoMore() throws IOException {
    Assumptions.assumeTrue(isStrict(), "the device rounds limits up");
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    IbvSendWR silent = write(1, local, remote, 0, 8);
    silent.setSend_flags(0);
    for (int i = 0; i < 31; i++) {
      pair.client.post(silent);
    }
    pair.client.post(write(2, local, remote, 0, 8));
    assertThatThrownBy(() -> pair.client.post(silent)).hasMessageContaining("full");
    pair.client.expect(2);
    pair.client.post(silent);
    for (int i = 0; i < 32; i++) {
      pair.client.receive(i, VerbsPeer.piece(local, 0, 8));
    }
    assertThatThrownBy(() -> pair.client.receive(99, VerbsPeer.piece(local, 0, 8)))
        .hasMessageContaining("full");
    IbvSge piece = VerbsPeer.piece(local, 0, 8);
    assertThatThrownBy(() -> pair.client.receive(99, piece, piece, piece, piece, piece))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(
            () ->
                pair.client.post(
                    VerbsPeer.request(1, IbvSendWR.IBV_WR_SEND, piece, piece, piece, piece, piece)))
        .hasMessageContaining("segments");
    IbvSendWR inline = VerbsPeer.request(1, IbvSendWR.IBV_WR_SEND, VerbsPeer.piece(local, 0, 65));
    inline.setSend_flags(IbvSendWR.IBV_SEND_INLINE);
    assertThatThrownBy(() -> pair.client.post(inline)).hasMessageContaining("inline");
  }

  @Test
  void anOverrunCompletionQueueIsOfNoMoreUse() throws IOException {
    Assumptions.assumeTrue(isStrict(), "the device rounds limits up");
    try (VerbsPair tight = new VerbsPair(cm(), address(), new Shape(8, 8, 1, 0, 4), 7)) {
      IbvMr local = tight.client.register(clientBytes, LOCAL);
      IbvMr remote = tight.server.register(serverBytes, WRITABLE);
      IbvSendWR write = write(1, local, remote, 0, 8);
      tight.client.post(write, write, write, write, write);
      VerbsPair.event(tight.clientEvents, EventType.RDMA_CM_EVENT_DISCONNECTED);
      assertThatThrownBy(tight.client::next).hasMessageContaining("overrun");
    }
  }

  @Test
  void anEventComesOncePerRequestForIt() throws IOException {
    IbvMr local = pair.client.register(clientBytes, LOCAL);
    IbvMr remote = pair.server.register(serverBytes, WRITABLE);
    assertThat(pair.client.channel.getCqEvent(pair.client.cq, 10)).isFalse();
    pair.client.cq.reqNotification(false).execute().free();
    pair.client.post(write(1, local, remote, 0, 8), write(2, local, remote, 0, 8));
    assertThat(pair.client.channel.getCqEvent(pair.client.cq, VerbsPeer.DEADLINE_MILLIS)).isTrue();
    pair.client.cq.ackEvents(1);
    pair.client.expect(1);
    pair.client.expect(2);
  }

  @Test
  void privateDataGoesBothWays() throws IOException {
    RdmaEventChannel events = cm().createEventChannel();
    RdmaCmId id = VerbsPair.resolve(events, pair.listener);
    ByteBuffer hello = ByteBuffer.allocateDirect(16).putLong(0, 0x1122334455667788L);
    ByteBuffer answer = ByteBuffer.allocateDirect(32).putLong(24, 0x99aabbccddeeffL);
    try (VerbsPeer client = new VerbsPeer(id, Shape.usual())) {
      RdmaConnParam asking = VerbsPair.parameters(7);
      asking.setPrivate_data(MemoryUtils.getAddress(hello));
      asking.setPrivate_data_len((byte) 16);
      client.id.connect(asking);
      RdmaCmEvent request = VerbsPair.next(pair.serverEvents);
      assertThat(request.getEvent()).isEqualTo(EventType.RDMA_CM_EVENT_CONNECT_REQUEST.ordinal());
      assertThat(privateData(pair.serverEvents, request)).startsWith(bytes(hello));
      try (VerbsPeer server = new VerbsPeer(request.getConnIdPriv(), Shape.usual())) {
        request.ackEvent();
        RdmaConnParam accepting = VerbsPair.parameters(7);
        accepting.setPrivate_data(MemoryUtils.getAddress(answer));
        accepting.setPrivate_data_len((byte) 32);
        server.id.accept(accepting);
        RdmaCmEvent established = VerbsPair.next(events);
        assertThat(established.getEvent()).isEqualTo(EventType.RDMA_CM_EVENT_ESTABLISHED.ordinal());
        assertThat(privateData(events, established)).startsWith(bytes(answer));
        established.ackEvent();
      }
    }
    events.destroyEventChannel();
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] copy = new byte[buffer.capacity()];
    buffer.get(0, copy);
    return copy;
  }

  @Test
  void aRequestThatIsNotAcceptedIsRejected() throws IOException {
    RdmaEventChannel events = cm().createEventChannel();
    RdmaCmId id = VerbsPair.resolve(events, pair.listener);
    try (VerbsPeer client = new VerbsPeer(id, Shape.usual())) {
      client.id.connect(VerbsPair.parameters(7));
      VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_CONNECT_REQUEST)
          .getConnIdPriv()
          .destroyId();
      VerbsPair.event(events, EventType.RDMA_CM_EVENT_REJECTED);
    }
    events.destroyEventChannel();
  }

  @Test
  void whereNobodyListensNobodyConnects() throws IOException {
    RdmaEventChannel events = cm().createEventChannel();
    RdmaCmId id = VerbsPair.resolve(events, pair.listener);
    pair.listener.destroyId();
    try (VerbsPeer client = new VerbsPeer(id, Shape.usual())) {
      try {
        client.id.connect(VerbsPair.parameters(7));
        VerbsPair.event(events, EventType.RDMA_CM_EVENT_REJECTED);
      } catch (IOException refused) { // iWARP's TCP connection may fail at once
        assertThat(isStrict()).as("refused at once: " + refused).isFalse();
      }
    }
    events.destroyEventChannel();
  }

  @Test
  void bothEndsMoveMuchAtOnce() throws Exception {
    IbvMr client = pair.client.register(clientBytes, WRITABLE);
    IbvMr server = pair.server.register(serverBytes, WRITABLE);
    int half = BYTES / 2;
    CompletableFuture<Void> clientWork = move(pair.client, client, server, 0, half);
    CompletableFuture<Void> serverWork = move(pair.server, server, client, half, half);
    clientWork.get(VerbsPeer.DEADLINE_MILLIS, TimeUnit.MILLISECONDS);
    serverWork.get(VerbsPeer.DEADLINE_MILLIS, TimeUnit.MILLISECONDS);
    assertThat(clientBytes).isEqualTo(serverBytes);
  }

  /** Successes with the numbers from 0, in this order unless writes overtake reads. */
  private void expectAll(VerbsPeer peer, int count) throws IOException {
    Set<Long> numbers = new LinkedHashSet<>();
    for (int i = 0; i < count; i++) {
      IbvWC completion = peer.next();
      assertThat(completion.getStatus()).isZero();
      numbers.add(completion.getWr_id());
    }
    List<Long> all = LongStream.range(0, count).boxed().toList();
    if (writesOvertakeReads()) {
      assertThat(numbers).containsExactlyInAnyOrderElementsOf(all);
    } else {
      assertThat(numbers).containsExactlyElementsOf(all);
    }
  }

  /**
   * Nothing is fenced here: with fences, siw stands still if both ends of a connection read much at
   * once. At the end both have the same all the same, since the last request is a READ.
   */
  private CompletableFuture<Void> move(
      VerbsPeer peer, IbvMr local, IbvMr remote, int offset, int bytes) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            for (int round = 0; round < 30; round++) {
              IbvSendWR[] list = new IbvSendWR[16];
              for (int i = 0; i < list.length; i++) {
                list[i] =
                    i % 2 == 0
                        ? write(i, local, remote, offset, bytes)
                        : read(i, local, remote, offset, bytes);
              }
              peer.post(list);
              expectAll(peer, list.length);
            }
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** WRITE and SEND with immediate. */
  @Nested
  class Immediates {
    @BeforeEach
    void assume() {
      Assumptions.assumeTrue(hasImmediate(), "the device has no immediates");
    }

    @Test
    void aWriteWithImmediateTakesAReceive() throws IOException {
      IbvMr local = pair.client.register(clientBytes, LOCAL);
      IbvMr remote = pair.server.register(serverBytes, WRITABLE);
      pair.server.receive(7);
      IbvSendWR request = write(1, local, remote, 4096, 100_000);
      request.setOpcode(IbvSendWR.IBV_WR_RDMA_WRITE_WITH_IMM);
      request.setImm_data(0x01020304);
      pair.client.post(request);
      IbvWC received = pair.server.expect(7);
      assertThat(received.getOpcode()).isEqualTo(IbvWcOpcode.IBV_WC_RECV_RDMA_WITH_IMM.getOpcode());
      assertThat(received.getImm_data()).isEqualTo(0x01020304);
      assertThat(received.getByte_len()).isEqualTo(100_000);
      assertThat(serverBytes.slice(4096, 100_000)).isEqualTo(clientBytes.slice(4096, 100_000));
      pair.client.expect(1);
    }

    @Test
    void aSendCarriesItsImmediate() throws IOException {
      IbvMr local = pair.client.register(clientBytes, LOCAL);
      IbvMr remote = pair.server.register(serverBytes, LOCAL);
      pair.server.receive(7, VerbsPeer.piece(remote, 0, 100));
      IbvSendWR request =
          VerbsPeer.request(1, IbvSendWR.IBV_WR_SEND_WITH_IMM, VerbsPeer.piece(local, 0, 100));
      request.setImm_data(77);
      pair.client.post(request);
      IbvWC received = pair.server.expect(7);
      assertThat(received.getOpcode()).isEqualTo(IbvWcOpcode.IBV_WC_RECV.getOpcode());
      assertThat(received.getImm_data()).isEqualTo(77);
      pair.client.expect(1);
    }
  }

  /** The part that not every device has. */
  @Nested
  class Atomics {
    private IbvMr local;
    private IbvMr remote;

    @BeforeEach
    void register() throws IOException {
      Assumptions.assumeTrue(hasAtomics(), "the device has no atomics");
      local = pair.client.register(clientBytes, LOCAL);
      remote = pair.server.register(serverBytes, WRITABLE | IbvMr.IBV_ACCESS_REMOTE_ATOMIC);
    }

    private void atomic(long number, int opcode, int offset, long operand, long swap)
        throws IOException {
      IbvSendWR request = VerbsPeer.request(number, opcode, VerbsPeer.piece(local, 0, 8));
      request.getAtomic().setRemote_addr(remote.getAddr() + offset);
      request.getAtomic().setRkey(remote.getRkey());
      request.getAtomic().setCompare_add(operand);
      request.getAtomic().setSwap(swap);
      postAtomic(pair.client, request);
    }

    @Test
    void compareAndSwapChangesOnlyWhatItExpects() throws IOException {
      serverBytes.putLong(16, 42);
      atomic(1, IbvSendWR.IBV_WR_ATOMIC_CMP_AND_SWP, 16, 41, 99);
      pair.client.expect(1);
      assertThat(clientBytes.getLong(0)).isEqualTo(42);
      assertThat(serverBytes.getLong(16)).isEqualTo(42);
      atomic(2, IbvSendWR.IBV_WR_ATOMIC_CMP_AND_SWP, 16, 42, 99);
      pair.client.expect(2);
      assertThat(clientBytes.getLong(0)).isEqualTo(42);
      assertThat(serverBytes.getLong(16)).isEqualTo(99);
    }

    @Test
    void fetchAndAddReturnsTheOldValue() throws IOException {
      serverBytes.putLong(24, -5);
      atomic(1, IbvSendWR.IBV_WR_ATOMIC_FETCH_AND_ADD, 24, 7, 0);
      assertThat(pair.client.expect(1).getOpcode())
          .isEqualTo(IbvWcOpcode.IBV_WC_FETCH_ADD.getOpcode());
      assertThat(clientBytes.getLong(0)).isEqualTo(-5);
      assertThat(serverBytes.getLong(24)).isEqualTo(2);
    }

    @Test
    void anAtomicIsAligned() throws IOException {
      try {
        atomic(1, IbvSendWR.IBV_WR_ATOMIC_FETCH_AND_ADD, 28, 7, 0);
      } catch (IOException refused) {
        assertThat(isStrict()).as("refused at once: " + refused).isFalse();
        return;
      }
      expectFailure(pair.client, 1, IbvWcStatus.IBV_WC_REM_INV_REQ_ERR);
    }
  }
}
