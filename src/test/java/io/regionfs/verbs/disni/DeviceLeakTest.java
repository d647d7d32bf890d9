package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.posix.Memory;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.rpc.darpc.DarpcOptions;
import io.regionfs.rpc.darpc.DarpcTransport;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.RegisteredMemory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Connections come and go, and the device's resources, the descriptors and the memory of the
 * process stay what they were. The system property CYCLES says how many.
 */
@SuppressWarnings({"MustBeClosedChecker", "NullAway.Init"}) // closed in tearDown
@Tag("rdma")
@EnabledIfSystemProperty(
    named = RdmaUnderTest.ADDRESS,
    matches = ".+",
    disabledReason = RdmaUnderTest.NONE)
class DeviceLeakTest {
  static final String CYCLES = "regionfs.leak.cycles";
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Request PING =
      Request.newBuilder().setPing(Ping.getDefaultInstance()).build();
  private static final int WARM_UP = 50;

  /** What a process may grow by for other reasons than a leak: 10,000 leaks of 4 KiB are found. */
  private static final long NOISE_KIB = 36 << 10;

  private final long lent = Memory.allocate(4096);
  private final long own = Memory.allocate(4096);
  private Fabric home;
  private FabricListener listener;
  private Fabric borrower;
  private RegisteredMemory remote;
  private RegisteredMemory local;

  @BeforeEach
  void setUp() throws IOException {
    home = RdmaUnderTest.open();
    borrower = RdmaUnderTest.open();
    listener = home.listen(new InetSocketAddress(RdmaUnderTest.address(), 0));
    remote = home.register(lent, 4096, Access.REMOTE_WRITE);
    local = borrower.register(own, 4096, Access.LOCAL);
  }

  @AfterEach
  void tearDown() {
    remote.close();
    local.close();
    borrower.close();
    home.close();
    Memory.free(lent);
    Memory.free(own);
  }

  @Test
  void dataConnections() throws Exception {
    repeat(
        "data connections",
        () -> {
          try (Connection connection = borrower.connect(listener.address(), LONG)) {
            Batch batch = connection.newBatch();
            batch.write(own, local.localKey(), lent, remote.remoteKey(), 4096);
            batch.read(own, local.localKey(), lent, remote.remoteKey(), 4096);
            connection.execute(batch, LONG);
          }
          return null;
        });
  }

  @Test
  void refusedTransfers() throws Exception {
    repeat(
        "refused transfers",
        () -> {
          try (Connection connection = borrower.connect(listener.address(), LONG)) {
            Batch batch = connection.newBatch();
            batch.write(own, local.localKey(), lent, remote.remoteKey() ^ 0x5a5a5a5a, 4096);
            assertThat(catchFailure(connection, batch)).isNotNull();
          }
          return null;
        });
  }

  private static Exception catchFailure(Connection connection, Batch batch) {
    return org.assertj.core.api.Assertions.catchException(() -> connection.execute(batch, LONG));
  }

  @Test
  void calls() throws Exception {
    try (RpcTransport transport = new DarpcTransport(DarpcOptions.defaults());
        RpcServer server =
            transport.serve(
                new InetSocketAddress(RdmaUnderTest.address(), 0), (request, responder) -> {})) {
      repeat(
          "connections for calls",
          () -> {
            try (RpcClient client = transport.client(server.address())) {
              callOnceConnected(client);
            }
            return null;
          });
    }
  }

  /** On a busy machine a request to connect may have no answer in time, and it is made again. */
  private static void callOnceConnected(RpcClient client) throws Exception {
    long until = System.nanoTime() + LONG.toNanos();
    while (true) {
      try {
        client.call(PING, LONG);
        return;
      } catch (RpcException e) {
        if (e.outcome() != RpcException.Outcome.NOT_SENT || System.nanoTime() - until > 0) {
          throw e;
        }
        System.out.println("again: " + e.getMessage());
      }
    }
  }

  @Test
  void registrations() throws Exception {
    repeat(
        "registrations",
        () -> {
          long memory = Memory.allocate(1 << 20);
          home.register(memory, 1 << 20, Access.REMOTE_WRITE).close();
          Memory.free(memory);
          return null;
        });
  }

  private static void repeat(String what, Callable<Void> cycle) throws Exception {
    int cycles = Integer.getInteger(CYCLES, 300);
    for (int i = 0; i < WARM_UP; i++) {
      cycle.call();
    }
    Settling settling = new Settling();
    Resources before = settling.settled();
    long residentBefore = Resources.residentKib();
    for (int i = 0; i < cycles; i++) {
      cycle.call();
    }
    settling.await(before);
    long grown = Resources.residentKib() - residentBefore;
    System.out.printf(
        "%d %s: %s, %d descriptors, %+d KiB%n",
        cycles,
        what,
        before.rdma(),
        before.descriptors().values().stream().mapToInt(Integer::intValue).sum(),
        grown);
    assertThat(grown).as("growth of the process in KiB").isLessThan(NOISE_KIB);
  }

  /** Both ends free their resources a little after a connection was closed. */
  private static final class Settling {
    private Resources last = new Resources("", new TreeMap<>());

    Resources settled() throws IOException, InterruptedException {
      int same = 0;
      long until = System.nanoTime() + LONG.toNanos();
      while (same < 10 && System.nanoTime() - until < 0) {
        Thread.sleep(200);
        Resources now = Resources.now();
        same = now.equals(last) ? same + 1 : 0;
        last = now;
      }
      return last;
    }

    void await(Resources before) throws IOException, InterruptedException {
      long until = System.nanoTime() + LONG.toNanos();
      while (!Resources.now().equals(before) && System.nanoTime() - until < 0) {
        Thread.sleep(200);
      }
      assertThat(Resources.now()).isEqualTo(before);
    }
  }
}
