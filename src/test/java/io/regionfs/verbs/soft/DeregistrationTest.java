package io.regionfs.verbs.soft;

import static org.assertj.core.api.Assertions.assertThat;

import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.IbvWC;
import com.ibm.disni.verbs.IbvWC.IbvWcStatus;
import com.ibm.disni.verbs.RdmaCm;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import io.regionfs.verbs.VerbsPair;
import io.regionfs.verbs.VerbsPeer;
import io.regionfs.verbs.VerbsPeer.Shape;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Memory may be unmapped once it is deregistered, whoever is using it. */
@SuppressWarnings("EnumOrdinal") // DiSNI's statuses are numbers in the order of its enum
class DeregistrationTest {
  private static final int BYTES = 8 << 20;
  private static final int ALL =
      IbvMr.IBV_ACCESS_LOCAL_WRITE | IbvMr.IBV_ACCESS_REMOTE_READ | IbvMr.IBV_ACCESS_REMOTE_WRITE;

  private static VerbsPair connect() throws IOException {
    SoftDevice.install(SoftDeviceOptions.defaults());
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    return new VerbsPair(RdmaCm.open(), address, Shape.usual(), 7);
  }

  private static void deregisterDuring(int opcode, long delayNanos) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(BYTES);
    long mapped =
        LibC.INSTANCE.mmap(
            0,
            BYTES,
            LibC.PROT_READ | LibC.PROT_WRITE,
            LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS,
            -1,
            0);
    Memory.fill(mapped, BYTES, (byte) 1);
    try (VerbsPair pair = connect()) {
      IbvMr local = pair.client.register(bytes, ALL);
      IbvMr remote = pair.server.pd.regMr(mapped, BYTES, ALL).execute().getMr();
      IbvSendWR[] list = new IbvSendWR[8];
      for (int i = 0; i < list.length; i++) {
        list[i] =
            VerbsPeer.at(
                VerbsPeer.request(i, opcode, VerbsPeer.piece(local, 0, BYTES)),
                remote.getAddr(),
                remote.getRkey());
      }
      pair.client.post(list);
      LockSupport.parkNanos(delayNanos);
      remote.deregMr().execute();
      assertThat(LibC.INSTANCE.munmap(mapped, BYTES)).isZero();
      boolean failed = false;
      for (int i = 0; i < list.length; i++) {
        IbvWC completion = pair.client.next();
        assertThat(completion.getWr_id()).isEqualTo(i);
        boolean success = completion.getStatus() == IbvWcStatus.IBV_WC_SUCCESS.ordinal();
        assertThat(success && failed).as("a success after a failure").isFalse();
        failed |= !success;
      }
    }
  }

  @Test
  void ofMemoryThatIsBeingRead() throws IOException {
    for (int i = 0; i < 10; i++) {
      deregisterDuring(IbvSendWR.IBV_WR_RDMA_READ, i * 500_000L);
    }
  }

  @Test
  void ofMemoryThatIsBeingWritten() throws IOException {
    for (int i = 0; i < 10; i++) {
      deregisterDuring(IbvSendWR.IBV_WR_RDMA_WRITE, i * 500_000L);
    }
  }
}
