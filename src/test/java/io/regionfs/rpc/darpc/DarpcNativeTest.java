package io.regionfs.rpc.darpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcContract;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.disni.RdmaUnderTest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The contract over DaRPC on an RDMA device. */
@SuppressWarnings("MustBeClosedChecker") // the transports close what a test leaves open
@Tag("rdma")
@EnabledIfSystemProperty(
    named = RdmaUnderTest.ADDRESS,
    matches = ".+",
    disabledReason = RdmaUnderTest.NONE)
class DarpcNativeTest extends RpcContract {
  private static final Duration HOUR = Duration.ofHours(1);

  @Override
  protected RpcTransport createTransport() throws IOException {
    RdmaUnderTest.seat();
    return new DarpcTransport(DarpcOptions.defaults());
  }

  @Override
  protected InetAddress address() {
    return RdmaUnderTest.address();
  }

  /**
   * Buffers are 8 bytes longer than pages, so of 512 of them some begin just before a page ends. To
   * siw it matters too which thread sends: requests of many callers keep the kernel's busy.
   */
  @Test
  void shortMessagesAreWholeWhereverTheirBuffersLie() throws Exception {
    DarpcOptions deep = new DarpcOptions(512, Duration.ofSeconds(20), HOUR, HOUR, 1, 1);
    try (DarpcTransport wide = new DarpcTransport(deep)) {
      RpcServer server = wide.serve(anyPort(), RpcContract::echo);
      callFromManyThreads(wide.client(server.address()), i -> 1);
    }
  }

  @Test
  void connectionsLeaveNothingBehind() throws Exception {
    DarpcTransport transport = (DarpcTransport) transport();
    try (RpcServer server = transport.serve(anyPort(), RpcContract::echo)) {
      for (int i = 0; i < 20; i++) {
        try (RpcClient client = transport.client(server.address())) {
          assertThat(client.call(request(5), LONG).getDetail()).isEqualTo("5");
        }
      }
      await("all connections to be released", () -> transport.connectionCount() == 0);
    }
  }

  @Test
  void callsLeaveByTheAddressThatWasGiven() throws Exception {
    RpcServer server = transport().serve(anyPort(), RpcContract::echo);
    try (DarpcTransport own = new DarpcTransport(DarpcOptions.defaults(), address())) {
      assertThat(own.client(server.address()).call(request(5), LONG).getDetail()).isEqualTo("5");
    }
    InetAddress nobodys = InetAddress.getByName("192.0.2.1");
    try (DarpcTransport foreign = new DarpcTransport(DarpcOptions.defaults(), nobodys)) {
      RpcException failure = failureOf(foreign.client(server.address()), request(5), LONG);
      assertThat(failure.outcome()).isEqualTo(RpcException.Outcome.NOT_SENT);
      assertThat(failure).hasMessageContaining("cannot connect");
    }
  }

  @Test
  void aServerDropsAClientThatFallsSilent() throws Exception {
    DarpcOptions impatient =
        new DarpcOptions(4, Duration.ofSeconds(20), Duration.ofMillis(300), HOUR, 10);
    try (DarpcTransport other = new DarpcTransport(impatient)) {
      RpcServer server = other.serve(anyPort(), RpcContract::echo);
      ClientConnection mute = ((DarpcTransport) transport()).newConnection();
      mute.connect(null, server.address());
      await("the server to hang up", () -> other.connectionCount() == 0);
      mute.lose("end of test");
    }
  }

  @Test
  void moreClientsThanOneLaneHoldsAreServed() throws Exception {
    try (Fabric opened = RdmaUnderTest.open()) { // as in every process that calls over a device
      assertThat(opened.registrations()).isZero();
      serveMoreThanOneLane();
    }
  }

  private static void serveMoreThanOneLane() throws Exception {
    DarpcOptions wide = new DarpcOptions(4, Duration.ofSeconds(20), HOUR, HOUR, 100);
    try (DarpcTransport many = new DarpcTransport(wide)) {
      RpcServer server =
          many.serve(new InetSocketAddress(RdmaUnderTest.address(), 0), RpcContract::echo);
      for (int i = 0; i < 70; i++) {
        RpcClient client = many.client(server.address());
        assertThat(client.call(request(5), LONG).getDetail()).isEqualTo("5");
      }
    }
  }
}
