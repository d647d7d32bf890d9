package io.regionfs.cli;

import io.regionfs.daemon.Addresses;
import io.regionfs.meta.MetadataClient;
import io.regionfs.meta.MetadataClientOptions;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.rpc.RpcClient;
import io.regionfs.rpc.darpc.DarpcOptions;
import io.regionfs.rpc.darpc.DarpcTransport;
import io.regionfs.verbs.disni.FabricRequest;
import io.regionfs.verbs.disni.FabricSelection;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A process that counts up a value of the root directory at the metadata service, or reads it,
 * again and again until its standard input ends. It prints a line per operation: kind, start and
 * end in nanoseconds of the machine's monotonic clock, value.
 */
final class MetadataProbe {
  private static final byte[] NAME = "user.probe".getBytes(StandardCharsets.UTF_8);
  private static final MetadataClientOptions HASTY =
      new MetadataClientOptions(Duration.ofSeconds(1), Duration.ofSeconds(30));

  private MetadataProbe() {}

  /** soft|verbs write|read OWN-IP REPLICA... */
  public static void main(String[] arguments) throws Exception {
    FabricRequest fabric =
        arguments[0].equals("soft") ? FabricRequest.soft() : FabricRequest.auto();
    boolean write = arguments[1].equals("write");
    InetSocketAddress own = new InetSocketAddress(arguments[2], 0);
    List<InetSocketAddress> replicas =
        Arrays.stream(arguments).skip(3).map(Addresses::listen).toList();
    FabricSelection.choose(fabric, own.getAddress(), SoftDeviceOptions.defaults());
    AtomicBoolean ended = endWithStandardInput();
    try (DarpcTransport transport = new DarpcTransport(DarpcOptions.defaults())) {
      List<RpcClient> clients = replicas.stream().map(transport::client).toList();
      try (MetadataClient metadata = new MetadataClient(clients, HASTY)) {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (long value = 1; !ended.get(); value++) {
          step(metadata, write, value, out);
        }
        out.flush();
      }
    }
  }

  private static void step(MetadataClient metadata, boolean write, long value, PrintStream out) {
    long start = System.nanoTime();
    try {
      long seen = value;
      if (write) {
        byte[] text = Long.toString(value).getBytes(StandardCharsets.UTF_8);
        metadata.setXattr(InodeId.ROOT, NAME, text, 0);
      } else {
        seen =
            Long.parseLong(new String(metadata.xattr(InodeId.ROOT, NAME), StandardCharsets.UTF_8));
      }
      out.println((write ? "w " : "r ") + start + " " + System.nanoTime() + " " + seen);
    } catch (FsException e) {
      // A write without an answer may count; a read without one says nothing.
      out.println((write ? "w " : "x ") + start + " " + Long.MAX_VALUE + " " + value);
    }
  }

  private static AtomicBoolean endWithStandardInput() {
    AtomicBoolean ended = new AtomicBoolean();
    Thread thread =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // Waits for its end.
                }
              } catch (java.io.IOException e) {
                System.err.println("standard input failed: " + e);
              } finally {
                ended.set(true);
              }
            },
            "standard-input");
    thread.setDaemon(true);
    thread.start();
    return ended;
  }
}
