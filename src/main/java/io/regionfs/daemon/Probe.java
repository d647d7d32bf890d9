package io.regionfs.daemon;

import io.regionfs.model.Errno;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.RpcException;
import io.regionfs.rpc.RpcTransport;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Asks once, at the start, whether there is a metadata service: later a node waits for it without
 * end, but a wrong address on the command line must be told.
 */
final class Probe {
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final Duration ATTEMPT = Duration.ofSeconds(5);
  private static final long PAUSE_MILLIS = 200;

  private Probe() {}

  /**
   * @throws IOException if none of them answers
   */
  @SuppressWarnings("MustBeClosedChecker") // lifetimes closes all
  static void awaitService(RpcTransport transport, List<InetSocketAddress> addresses)
      throws IOException, InterruptedException {
    Lifetimes clients = new Lifetimes();
    try (clients) {
      awaitService(
          addresses.stream()
              .map(address -> clients.add("probe", transport.client(address)))
              .toList(),
          addresses);
    }
  }

  private static void awaitService(List<RpcClient> replicas, List<InetSocketAddress> addresses)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    String last = "";
    do {
      for (RpcClient replica : replicas) {
        try {
          Reply reply = replica.call(question(), ATTEMPT);
          if (reply.getErrno() == 0) {
            return;
          }
          last = reply.getDetail();
          if (reply.getErrno() == Errno.ENXIO.code()) {
            throw new IOException(noService(addresses, last));
          }
        } catch (RpcException e) {
          last = String.valueOf(e.getMessage());
        }
      }
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    } while (System.nanoTime() - end < 0);
    throw new IOException(noService(addresses, last));
  }

  private static Request question() {
    return ReplicaCalls.envelope(1)
        .setQuery(Query.newBuilder().setService(Ping.getDefaultInstance()))
        .build();
  }

  private static String noService(List<InetSocketAddress> addresses, String why) {
    return "no metadata service answers at "
        + addresses.stream().map(Addresses::text).collect(Collectors.joining(","))
        + " ("
        + why
        + "): check --meta, and that it runs";
  }
}
