package io.regionfs.metaserver.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.util.Endpoint;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EngineServerTest {
  private static final int ROUNDS = 40;
  private static final int CONNECTIONS = 40;
  private static final int PATIENCE_MILLIS = 20_000;

  /** Else who has one would never find the next server at this address. */
  @Test
  void noConnectionOutlivesTheServer() throws Exception {
    EngineLogging.restrain();
    for (int round = 0; round < ROUNDS; round++) {
      InetSocketAddress address = Cluster.freeAddress();
      EngineServer server =
          EngineServer.start(new Endpoint(address.getHostString(), address.getPort()));
      CompletableFuture<List<Socket>> connecting =
          CompletableFuture.supplyAsync(() -> connectWhileItListens(address));
      TimeUnit.MICROSECONDS.sleep(100L * round);
      server.close();
      for (Socket socket : connecting.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
        try (socket) {
          socket.setSoTimeout(PATIENCE_MILLIS);
          assertThat(socket.getInputStream().read()).isEqualTo(-1);
        } catch (SocketException e) {
          assertThat(e).hasMessageContaining("reset");
        }
      }
    }
  }

  @SuppressWarnings("resource") // closed by who gets them
  private static List<Socket> connectWhileItListens(InetSocketAddress address) {
    List<Socket> sockets = new ArrayList<>();
    for (int i = 0; i < CONNECTIONS; i++) {
      Socket socket = new Socket();
      try {
        socket.connect(address, PATIENCE_MILLIS);
        sockets.add(socket);
      } catch (IOException e) {
        return sockets; // it listens no more
      }
    }
    return sockets;
  }
}
