package io.regionfs.rpc.darpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.ibm.darpc.DaRPCMessage;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcContract;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcException.Outcome;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.verbs.soft.SoftDevice;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The contract over DaRPC on soft verbs, and what only a real transport can suffer. */
@SuppressWarnings("MustBeClosedChecker") // the transports close what a test leaves open
class DarpcTransportTest extends RpcContract {
  private static final Duration HOUR = Duration.ofHours(1);

  private final SoftDevice device = SoftDevice.install(SoftDeviceOptions.defaults());

  @Override
  protected RpcTransport createTransport() {
    return new DarpcTransport(DarpcOptions.defaults());
  }

  @AfterEach
  void nothingIsLeft() throws InterruptedException {
    transport().close();
    assertThat(device.registrations()).as("registered memory").isZero();
    await("the transport's threads to end", () -> rpcThreads().isEmpty());
  }

  private static List<String> rpcThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("rpc-"))
        .toList();
  }

  private static DarpcOptions impatient(Duration silence, Duration idle, int maxConnections) {
    return new DarpcOptions(4, Duration.ofSeconds(20), silence, idle, maxConnections);
  }

  private static void assertAnswers(RpcClient client) throws Exception {
    assertThat(client.call(request(5), LONG).getDetail()).isEqualTo("5");
  }

  @Test
  void rawBytesSentToThePortHarmNobody() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    try (RpcServer server = transport().serve(anyPort(), RpcContract::echo);
        RpcClient client = transport().client(server.address())) {
      assertAnswers(client);
      for (int i = 0; i < 30; i++) {
        byte[] garbage = new byte[random.nextInt(5000)];
        random.nextBytes(garbage);
        try (Socket socket = new Socket()) {
          socket.connect(server.address());
          writeAll(socket, garbage);
        }
        assertThat(client.call(request(i), LONG).getErrno()).as("seed %d", seed).isZero();
      }
    }
  }

  private static void writeAll(Socket socket, byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
    } catch (IOException e) {
      assertThat(e).as("the server hung up on garbage").isNotNull();
    }
  }

  @Test
  void clientsThatStopHalfWayKeepNobodyOut() throws Exception {
    try (RpcServer server = transport().serve(anyPort(), RpcContract::echo)) {
      List<Socket> halfOpen = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        Socket socket = new Socket();
        socket.connect(server.address());
        halfOpen.add(socket);
      }
      try (RpcClient client = transport().client(server.address())) {
        assertAnswers(client);
      }
      for (Socket socket : halfOpen) {
        socket.close();
      }
    }
  }

  @Test
  void aMalformedMessageEndsItsConnectionAndNoOther() throws Exception {
    try (RpcServer server = transport().serve(anyPort(), RpcContract::echo);
        RpcClient client = transport().client(server.address())) {
      assertAnswers(client);
      for (int claimedLength : new int[] {-1, 1 << 30, Malformed.BYTES.size() + 1, 12}) {
        ClientConnection hostile = ((DarpcTransport) transport()).newConnection();
        hostile.connect(null, server.address());
        synchronized (hostile.posting) {
          assertThat(hostile.post(new Malformed(claimedLength), 1)).isTrue();
        }
        await("the server to hang up", () -> tickedUntilLost(hostile));
        assertAnswers(client);
      }
    }
  }

  /** Not protobuf, and of a length that may be untrue. */
  private record Malformed(int claimedLength) implements DaRPCMessage {
    static final ByteString BYTES = ByteString.fromHex("ffffffffffffffffffffffff");

    @Override
    public int write(ByteBuffer buffer) {
      buffer.putInt(claimedLength).put(BYTES.asReadOnlyByteBuffer());
      return Integer.BYTES + BYTES.size();
    }

    @Override
    public void update(ByteBuffer buffer) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int size() {
      return Integer.BYTES + BYTES.size();
    }
  }

  private static boolean tickedUntilLost(ClientConnection connection) {
    connection.tick(1 << 20, 1 << 20);
    return connection.isLost();
  }

  @Test
  void aPeerThatFallsSilentFailsTheCallsInFlight() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    RpcHandler stuck = // against its contract: it stops the whole server, as a stopped process
        (request, responder) -> {
          try {
            release.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    try (RpcTransport impatient = new DarpcTransport(impatient(Duration.ofMillis(300), HOUR, 10))) {
      RpcServer server = transport().serve(anyPort(), stuck);
      RpcClient client = impatient.client(server.address());
      List<Future<RpcException>> calls = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        calls.add(start(() -> failureOf(client, request(1), HOUR)));
      }
      for (Future<RpcException> call : calls) {
        assertThat(call.get().outcome()).isEqualTo(Outcome.UNKNOWN);
      }
      release.countDown();
    }
  }

  @Test
  void aNetworkThatSwallowsEverythingFailsTheCallsInFlight() throws Exception {
    try (RpcTransport impatient = new DarpcTransport(impatient(Duration.ofMillis(600), HOUR, 10))) {
      RpcServer server = transport().serve(anyPort(), RpcContract::echo);
      RpcClient client = impatient.client(server.address());
      assertAnswers(client);
      device.options().faults().drop(true);
      try {
        assertThat(failureOf(client, request(1), HOUR).outcome()).isEqualTo(Outcome.UNKNOWN);
      } finally {
        device.options().faults().drop(false);
      }
      assertAnswers(client);
    }
  }

  @Test
  void whatWasNotSentWasNeverSeen() throws Exception {
    Set<Long> seen = ConcurrentHashMap.newKeySet();
    Set<Long> notSent = ConcurrentHashMap.newKeySet();
    AtomicInteger answered = new AtomicInteger();
    AtomicLong sequence = new AtomicLong();
    AtomicBoolean stop = new AtomicBoolean();
    RpcHandler recording =
        (request, responder) -> {
          seen.add(request.getSequence());
          echo(request, responder);
        };
    try (RpcServer server = transport().serve(anyPort(), recording);
        RpcClient client = transport().client(server.address())) {
      Callable<Void> caller =
          () -> {
            while (!stop.get()) {
              Request request = request(sequence.incrementAndGet(), randomBytes(1, 200));
              try {
                assertThat(client.call(request, LONG)).isEqualTo(echoOf(request));
                answered.incrementAndGet();
              } catch (RpcException e) {
                if (e.outcome() == Outcome.NOT_SENT) {
                  notSent.add(request.getSequence());
                }
              }
            }
            return null;
          };
      List<Future<Void>> callers = new ArrayList<>();
      for (int i = 0; i < 24; i++) { // more than the connection's depth
        callers.add(start(caller));
      }
      for (int cut = 0; cut < 30; cut++) {
        int before = answered.get();
        await("calls between cuts", () -> answered.get() > before + 30);
        device.options().faults().cut();
      }
      stop.set(true);
      for (Future<Void> ended : callers) {
        ended.get();
      }
      assertThat(seen).noneMatch(notSent::contains);
      assertAnswers(client);
    }
  }

  @Test
  void callsThatWereGivenUpDoNotOverrunAStalledServer() throws Exception {
    int most = ServerConnection.MAX_UNANSWERED + 1; // the last one keeps the only place
    BlockingQueue<Runnable> stalled = new LinkedBlockingQueue<>();
    AtomicBoolean stall = new AtomicBoolean(true);
    RpcHandler handler =
        (request, responder) -> {
          if (stall.get()) {
            stalled.add(() -> echo(request, responder));
          } else {
            echo(request, responder);
          }
        };
    DarpcOptions narrow = new DarpcOptions(2, Duration.ofSeconds(20), HOUR, HOUR, 4);
    try (RpcTransport transport = new DarpcTransport(narrow);
        RpcServer server = transport.serve(anyPort(), handler);
        RpcClient client = transport.client(server.address())) {
      Duration moment = Duration.ofMillis(2);
      int sent = 0;
      while (sent < most) {
        sent += failureOf(client, request(sent), moment).outcome() == Outcome.UNKNOWN ? 1 : 0;
      }
      for (int i = 0; i < 3; i++) {
        assertThat(failureOf(client, request(i), moment).outcome()).isEqualTo(Outcome.NOT_SENT);
      }
      await("all requests", () -> stalled.size() == most);
      stall.set(false);
      stalled.forEach(Runnable::run);
      assertAnswers(client);
      assertThat(stalled).hasSize(most);
    }
  }

  @Test
  void aLongCallIsKeptAliveByPings() throws Exception {
    AtomicInteger seen = new AtomicInteger();
    CountDownLatch release = new CountDownLatch(1);
    RpcHandler slow =
        (request, responder) -> {
          seen.incrementAndGet();
          var unused =
              start(
                  () -> {
                    release.await();
                    echo(request, responder);
                    return null;
                  });
        };
    try (DarpcTransport impatient =
        new DarpcTransport(impatient(Duration.ofSeconds(1), Duration.ofMillis(1), 10))) {
      RpcServer server = impatient.serve(anyPort(), slow);
      RpcClient client = impatient.client(server.address());
      Future<Reply> call = start(() -> client.call(request(5), LONG));
      await("the request", () -> seen.get() == 1);
      long end = System.nanoTime() + Duration.ofSeconds(3).toNanos(); // three times the silence
      await("time to pass", () -> System.nanoTime() - end > 0);
      release.countDown();
      assertThat(call.get().getDetail()).isEqualTo("5");
      assertThat(seen).hasValue(1);
    }
  }

  @Test
  void anIdleConnectionIsLetGoAndMadeAgain() throws Exception {
    try (DarpcTransport impatient =
        new DarpcTransport(impatient(Duration.ofMillis(600), Duration.ofMillis(1), 10))) {
      RpcServer server = impatient.serve(anyPort(), RpcContract::echo);
      RpcClient client = impatient.client(server.address());
      for (int round = 0; round < 3; round++) {
        assertAnswers(client);
        await("both sides to let go", () -> impatient.connectionCount() == 0);
      }
    }
  }

  @Test
  void connectionsComeFromTheAddressThatWasGiven() throws Exception {
    InetAddress given = InetAddress.getByName("127.0.0.3");
    try (DarpcTransport own = new DarpcTransport(DarpcOptions.defaults(), given)) {
      RpcServer server = transport().serve(anyPort(), RpcContract::echo);
      assertAnswers(own.client(server.address()));
      ClientConnection connection = own.newConnection();
      connection.connect(own.source(), server.address());
      assertThat(((InetSocketAddress) connection.getSrcAddr()).getAddress()).isEqualTo(given);
      connection.lose("end of test");
    }
  }

  @Test
  void aServerDropsAClientThatFallsSilent() throws Exception {
    try (DarpcTransport impatient =
        new DarpcTransport(impatient(Duration.ofMillis(300), HOUR, 10))) {
      RpcServer server = impatient.serve(anyPort(), RpcContract::echo);
      ClientConnection mute = ((DarpcTransport) transport()).newConnection();
      mute.connect(null, server.address());
      await("the server to hang up", () -> impatient.connectionCount() == 0);
      mute.lose("end of test");
    }
  }

  @Test
  void moreClientsThanAllowedAreRefusedUntilOneLeaves() throws Exception {
    try (DarpcTransport small = new DarpcTransport(impatient(Duration.ofSeconds(20), HOUR, 2))) {
      RpcServer server = small.serve(anyPort(), RpcContract::echo);
      RpcClient first = transport().client(server.address());
      RpcClient second = transport().client(server.address());
      RpcClient third = transport().client(server.address());
      assertAnswers(first);
      assertAnswers(second);
      assertThat(failureOf(third, request(1), LONG)).isNotNull();
      first.close();
      await("the server to let the first go", () -> small.connectionCount() == 1);
      assertAnswers(third);
      assertAnswers(second);
    }
  }

  @Test
  void moreClientsThanOneLaneHoldsAreServed() throws Exception {
    try (DarpcTransport many = new DarpcTransport(impatient(Duration.ofSeconds(20), HOUR, 100))) {
      RpcServer server = many.serve(anyPort(), RpcContract::echo);
      List<RpcClient> clients = new ArrayList<>();
      for (int i = 0; i < DarpcOptions.defaults().sharing() + 6; i++) {
        clients.add(many.client(server.address()));
        assertAnswers(clients.get(i));
      }
      List<Future<Void>> callers = new ArrayList<>();
      for (RpcClient client : clients) {
        callers.add(
            start(
                () -> {
                  for (int i = 0; i < 20; i++) {
                    assertAnswers(client);
                  }
                  return null;
                }));
      }
      for (Future<Void> caller : callers) {
        caller.get();
      }
    }
  }

  @Test
  void connectionsLeaveNothingBehind() throws Exception {
    DarpcTransport transport = (DarpcTransport) transport();
    try (RpcServer server = transport.serve(anyPort(), RpcContract::echo)) {
      for (int i = 0; i < 100; i++) {
        try (RpcClient client = transport.client(server.address())) {
          assertAnswers(client);
        }
      }
      await("all connections to be released", () -> transport.connectionCount() == 0);
      assertThat(device.registrations()).isZero();
    }
  }

  @Test
  void addressesThatCannotWorkAreRefused() throws Exception {
    try (RpcClient unknown = transport().client(InetSocketAddress.createUnresolved("nowhere", 1));
        RpcClient wide =
            transport().client(new InetSocketAddress(InetAddress.getByAddress(new byte[16]), 1))) {
      assertThat(failureOf(unknown, request(1), LONG).outcome()).isEqualTo(Outcome.NOT_SENT);
      assertThat(failureOf(wide, request(1), LONG).outcome()).isEqualTo(Outcome.NOT_SENT);
    }
  }
}
