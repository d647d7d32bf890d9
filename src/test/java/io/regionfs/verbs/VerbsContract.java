package io.regionfs.verbs;

import static org.assertj.core.api.Assertions.assertThat;

import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.IbvWC.IbvWcOpcode;
import com.ibm.disni.verbs.RdmaCm;
import io.regionfs.verbs.VerbsPeer.Shape;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What any device beneath DiSNI does, be it software, siw, rxe or a NIC. */
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

  protected boolean hasImmediate() {
    return true;
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
      pair.client.post(request);
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
  }
}
