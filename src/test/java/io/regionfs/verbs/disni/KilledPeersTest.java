package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.posix.Memory;
import io.regionfs.rpc.RpcServer;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.rpc.darpc.DarpcOptions;
import io.regionfs.rpc.darpc.DarpcTransport;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.RegisteredMemory;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Processes are killed while they read, write and call; the survivor is left with what it had. The
 * system property KILLS says how many.
 */
@Tag("rdma")
@EnabledIfSystemProperty(
    named = RdmaUnderTest.ADDRESS,
    matches = ".+",
    disabledReason = RdmaUnderTest.NONE)
class KilledPeersTest {
  static final String KILLS = "regionfs.leak.kills";
  private static final int AT_A_TIME = 2;
  private static final Duration LONG = Duration.ofSeconds(90);

  @Test
  void leaveNothingBehind() throws Exception {
    int kills = Integer.getInteger(KILLS, 8);
    long memory = Memory.allocate(PeerProcess.BYTES);
    InetSocketAddress anywhere = new InetSocketAddress(RdmaUnderTest.address(), 0);
    try (Fabric home = RdmaUnderTest.open();
        FabricListener data = home.listen(anywhere);
        RegisteredMemory lent = home.register(memory, PeerProcess.BYTES, Access.REMOTE_WRITE);
        RpcTransport transport = new DarpcTransport(DarpcOptions.defaults());
        RpcServer calls = transport.serve(anywhere, (request, responder) -> {})) {
      killSome(1, data, calls, lent); // makes what stays, such as a lane for calls
      Resources before = settled(data);
      for (int killed = 0; killed < kills; killed += AT_A_TIME) {
        killSome(AT_A_TIME, data, calls, lent);
        if (killed % 20 == 0) {
          System.out.println(killed + AT_A_TIME + " killed");
        }
      }
      long until = System.nanoTime() + LONG.toNanos();
      while (!Resources.now().equals(before) && System.nanoTime() - until < 0) {
        Thread.sleep(100);
      }
      assertThat(Resources.now()).isEqualTo(before);
      System.out.printf("%d peers killed: %s%n", kills, before.rdma());
    } finally {
      Memory.free(memory);
    }
  }

  private static void killSome(
      int count, FabricListener data, RpcServer calls, RegisteredMemory lent) throws Exception {
    List<Process> peers = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        peers.add(
            PeerProcess.start(
                List.of(), RdmaUnderTest.address(), data.address(), calls.address(), lent));
      }
      for (Process peer : peers) {
        awaitWork(peer);
      }
    } finally {
      peers.forEach(Process::destroyForcibly);
    }
    for (Process peer : peers) {
      peer.onExit().get();
    }
  }

  private static void awaitWork(Process peer) throws IOException {
    BufferedReader said =
        new BufferedReader(new InputStreamReader(peer.getInputStream(), StandardCharsets.UTF_8));
    List<String> lines = new ArrayList<>();
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      if (line.equals(PeerProcess.AT_WORK)) {
        return;
      }
      lines.add(line);
    }
    assertThat(lines).as("what a peer said that did not work").contains(PeerProcess.AT_WORK);
  }

  /** When the connections of the killed are gone. */
  private static Resources settled(FabricListener data) throws Exception {
    long until = System.nanoTime() + LONG.toNanos();
    Resources last = Resources.now();
    for (int same = 0; same < 15; ) {
      assertThat(System.nanoTime() - until).as("still changing: %s", last).isNegative();
      Thread.sleep(200);
      Resources now = Resources.now();
      same = now.equals(last) && data.connections() == 0 ? same + 1 : 0;
      last = now;
    }
    return last;
  }
}
