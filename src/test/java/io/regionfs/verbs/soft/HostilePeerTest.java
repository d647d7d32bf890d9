package io.regionfs.verbs.soft;

import static org.assertj.core.api.Assertions.assertThat;

import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvSendWR;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmEvent;
import com.ibm.disni.verbs.RdmaCmEvent.EventType;
import com.ibm.disni.verbs.RdmaCmId;
import io.regionfs.verbs.VerbsPair;
import io.regionfs.verbs.VerbsPeer;
import io.regionfs.verbs.VerbsPeer.Shape;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever a stranger sends costs it its connection, and nobody else anything. */
@SuppressWarnings("try") // some resources only have to be there
class HostilePeerTest {
  private static final int BYTES = 1 << 16;
  private static final int READABLE = IbvMr.IBV_ACCESS_LOCAL_WRITE | IbvMr.IBV_ACCESS_REMOTE_READ;

  private final ByteBuffer clientBytes = ByteBuffer.allocateDirect(BYTES);
  private final ByteBuffer serverBytes = ByteBuffer.allocateDirect(BYTES);
  private VerbsPair pair;
  private IbvMr local;
  private IbvMr remote;

  @BeforeEach
  void connect() throws IOException {
    SoftDevice.install(SoftDeviceOptions.defaults());
    SoftDevice device =
        new SoftDevice(
            SoftDeviceOptions.defaults()
                .withTimeouts(Duration.ofMillis(300), Duration.ofSeconds(10)));
    RdmaCm cm = new SoftProvider(device).openCm();
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    pair = new VerbsPair(cm, address, Shape.usual(), 7);
    local = pair.client.register(clientBytes, READABLE);
    remote = pair.server.register(serverBytes, READABLE);
  }

  @AfterEach
  void close() throws IOException {
    pair.close();
  }

  private void goodConnectionStillWorks() throws IOException {
    pair.client.post(
        VerbsPeer.at(
            VerbsPeer.request(1, IbvSendWR.IBV_WR_RDMA_READ, VerbsPeer.piece(local, 0, BYTES)),
            remote.getAddr(),
            remote.getRkey()));
    pair.client.expect(1);
  }

  private Socket dial() throws IOException {
    InetSocketAddress address = (InetSocketAddress) pair.listener.getSource();
    Socket socket = new Socket(address.getAddress(), address.getPort());
    socket.setSoTimeout(VerbsPeer.DEADLINE_MILLIS);
    return socket;
  }

  /** Waits until the other side hangs up, whatever it says before. */
  private static void expectHangUp(Socket socket) throws IOException {
    try {
      while (socket.getInputStream().read() >= 0) {
        // Its last words don't matter.
      }
    } catch (SocketException reset) {
      assertThat(reset).hasMessageContaining("reset");
    }
  }

  private static void send(Socket socket, byte[] bytes) {
    try {
      OutputStream out = socket.getOutputStream();
      out.write(bytes);
      out.flush();
    } catch (IOException hungUp) {
      assertThat(hungUp).isInstanceOf(SocketException.class);
    }
  }

  @Test
  void randomBytesToAListener() throws IOException {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 20; i++) {
      try (Socket socket = dial()) {
        byte[] noise = new byte[1 + random.nextInt(1000)];
        random.nextBytes(noise);
        send(socket, noise);
        expectHangUp(socket);
      }
    }
    goodConnectionStillWorks();
  }

  @Test
  void peersThatSayNothingDelayNobody() throws IOException {
    List<Socket> silent = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      silent.add(dial());
    }
    try (Socket eager = dial()) {
      send(eager, new Handshake(Handshake.REQUEST, 1, 16, 7, new byte[0]).encode());
      VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_CONNECT_REQUEST)
          .getConnIdPriv()
          .destroyId();
    }
    for (Socket socket : silent) {
      expectHangUp(socket);
      socket.close();
    }
    goodConnectionStillWorks();
  }

  /** A connection whose other end is this test. */
  private VerbsPeer accept(Socket socket) throws IOException {
    send(socket, new Handshake(Handshake.REQUEST, 1, 16, 7, new byte[0]).encode());
    RdmaCmEvent request =
        VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_CONNECT_REQUEST);
    RdmaCmId child = request.getConnIdPriv();
    VerbsPeer server = new VerbsPeer(child, Shape.usual());
    child.accept(VerbsPair.parameters(7));
    VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_ESTABLISHED);
    assertThat(socket.getInputStream().readNBytes(Handshake.BYTES)).hasSize(Handshake.BYTES);
    return server;
  }

  private static byte[] frame(int type, int flags, int length, long address, int key) {
    ByteBuffer frame = ByteBuffer.allocate(Wire.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    frame.put((byte) type).put((byte) flags).putShort((short) 0).putInt(length);
    frame.putLong(address).putInt(key);
    return frame.array();
  }

  private void endsOnlyItself(byte[]... frames) throws IOException {
    try (Socket socket = dial();
        VerbsPeer server = accept(socket)) {
      for (byte[] frame : frames) {
        send(socket, frame);
      }
      VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_DISCONNECTED);
      socket.shutdownOutput();
      expectHangUp(socket);
    }
    goodConnectionStillWorks();
  }

  @Test
  void framesThatMakeNoSense() throws IOException {
    endsOnlyItself(frame(0, 0, 0, 0, 0));
    endsOnlyItself(frame(Wire.SEND, 0, -1, 0, 0));
    endsOnlyItself(frame(Wire.WRITE, 0, Integer.MAX_VALUE, 0, 0));
    endsOnlyItself(frame(Wire.READ, 0xff, 8, 0, 0));
    endsOnlyItself(frame(99, 0, 0, 0, 0));
  }

  @Test
  void answersToQuestionsThatNobodyAsked() throws IOException {
    endsOnlyItself(frame(Wire.ACK, 0, 0, 0, 1));
    endsOnlyItself(frame(Wire.ACK, 0, 0, 0, -5));
    endsOnlyItself(frame(Wire.READ_DATA, 0, 64, 0, 0));
    endsOnlyItself(frame(Wire.ATOMIC_RESULT, 0, 0, 0, 0));
    endsOnlyItself(frame(Wire.NOT_READY, 0, 0, 0, 0));
    endsOnlyItself(frame(Wire.REFUSAL, 200, 0, 0, 0));
  }

  @Test
  void requestsForWhatIsNotItsOwn() throws IOException {
    endsOnlyItself(frame(Wire.READ, 0, 64, remote.getAddr(), remote.getRkey()));
    endsOnlyItself(frame(Wire.READ, 0, 64, 0, 0));
    endsOnlyItself(frame(Wire.WRITE, 0, 64, -1, 12345));
    endsOnlyItself(frame(Wire.FETCH_AND_ADD, 0, 8, 8, 1));
  }

  @Test
  void moreReadsAtOnceThanAgreedOn() throws IOException {
    try (Socket socket = dial();
        VerbsPeer server = accept(socket)) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(8 << 20);
      IbvMr open = server.register(bytes, READABLE);
      byte[] read = frame(Wire.READ, 0, 8 << 20, open.getAddr(), open.getRkey());
      for (int i = 0; i < 200; i++) {
        send(socket, read);
      }
      VerbsPair.event(pair.serverEvents, EventType.RDMA_CM_EVENT_DISCONNECTED);
    }
    goodConnectionStillWorks();
  }

  @Test
  void randomFramesAfterAGoodHandshake() throws IOException {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 30; i++) {
      byte[] noise = new byte[4000];
      random.nextBytes(noise);
      for (int at = 0; at + Wire.HEADER_BYTES < noise.length; at += 200) {
        byte[] header =
            frame(random.nextInt(40), random.nextInt(8), random.nextInt(160), 0, random.nextInt());
        System.arraycopy(header, 0, noise, at, 20);
      }
      endsOnlyItself(noise, new byte[Wire.HEADER_BYTES]);
    }
  }
}
