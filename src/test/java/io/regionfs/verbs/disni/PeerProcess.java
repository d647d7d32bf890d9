package io.regionfs.verbs.disni;

import io.regionfs.posix.Memory;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcTransport;
import io.regionfs.rpc.darpc.DarpcOptions;
import io.regionfs.rpc.darpc.DarpcTransport;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.RegisteredMemory;
import io.regionfs.verbs.TransferException;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A process that reads, writes and calls at a home until it is killed. */
final class PeerProcess {
  static final int BYTES = 1 << 20;
  static final String AT_WORK = "at work";
  private static final Duration LONG = Duration.ofSeconds(60);

  private PeerProcess() {}

  /**
   * Starts one; it prints AT_WORK when it is.
   *
   * @param before the command that runs it, such as ip netns exec NAME
   * @param own its address
   */
  static Process start(
      List<String> before,
      InetAddress own,
      InetSocketAddress data,
      InetSocketAddress calls,
      RegisteredMemory lent)
      throws IOException {
    List<String> command = new ArrayList<>(before);
    command.addAll(
        List.of(
            System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx128m",
            "-XX:+UnlockDiagnosticVMOptions",
            "-XX:-BytecodeVerificationRemote", // many are started, on slow machines
            "-Djava.library.path=" + System.getProperty("java.library.path"),
            "-cp",
            System.getProperty("java.class.path"),
            PeerProcess.class.getName(),
            own.getHostAddress(),
            data.getAddress().getHostAddress(),
            Integer.toString(data.getPort()),
            Integer.toString(calls.getPort()),
            Long.toString(lent.address()),
            Integer.toString(lent.remoteKey())));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  /**
   * Arguments: own address, home's address, its ports for data and calls, memory there, its key.
   */
  @SuppressWarnings("InfiniteLoopStatement")
  public static void main(String[] args) throws Exception {
    InetAddress own = InetAddress.getByName(args[0]);
    InetAddress home = InetAddress.getByName(args[1]);
    long memory = Memory.allocate(BYTES);
    int key = Integer.parseInt(args[5]);
    long there = Long.parseLong(args[4]);
    InetSocketAddress data = new InetSocketAddress(home, Integer.parseInt(args[2]));
    Request ping = Request.newBuilder().setPing(Ping.getDefaultInstance()).build();
    try (Fabric fabric = DisniFabric.open(own, "peer", Pinning.ALWAYS);
        RegisteredMemory local = fabric.register(memory, BYTES, Access.LOCAL);
        RpcTransport transport = new DarpcTransport(DarpcOptions.defaults());
        RpcClient client =
            transport.client(new InetSocketAddress(home, Integer.parseInt(args[3])))) {
      boolean said = false;
      while (true) {
        try (Connection connection = fabric.connect(data, LONG)) {
          Batch batch = connection.newBatch();
          batch.write(memory, local.localKey(), there, key, BYTES);
          batch.read(memory, local.localKey(), there, key, BYTES);
          while (true) {
            client.call(ping, LONG);
            connection.execute(batch, LONG);
            if (!said) {
              System.out.println(AT_WORK);
              said = true;
            }
          }
        } catch (TransferException | RpcException e) {
          System.out.println("connecting again: " + e); // on a busy machine a pulse may be late
        }
      }
    }
  }
}
