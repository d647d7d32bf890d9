package io.regionfs.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.cli.FabricMeasurement.Figures;
import io.regionfs.cli.FabricMeasurement.Job;
import io.regionfs.cli.FabricMeasurement.Target;
import io.regionfs.daemon.Addresses;
import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Json;
import io.regionfs.daemon.Sizes;
import io.regionfs.posix.LibC;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.RegisteredMemory;
import io.regionfs.verbs.TransferException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Measures the fabric between two hosts, without a filesystem: what reads and writes of a mount are
 * to be compared with.
 */
@Command(
    name = "fabric",
    sortOptions = false,
    description = {
      "Measure the fabric between two hosts.",
      "%nTimes one-sided reads and writes without a filesystem. Start 'serve' on one host and give"
          + " the line it prints to 'measure' on the other.%n"
    })
final class FabricCommand implements Runnable {
  private static final long LENT_BYTES = 64L << 20;
  private static final int MAX_OUTSTANDING = 64;
  private static final long MAX_LOCAL_BYTES = 1L << 30;

  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    if (spec != null) {
      throw new ParameterException(spec.commandLine(), "serve or measure?");
    }
  }

  @Command(name = "serve", description = "Lend 64 MiB to peers that measure, until interrupted.")
  int serve(
      @Option(
              names = "--listen",
              paramLabel = "IP[:PORT]",
              required = true,
              description = "Where peers connect to.")
          String listen,
      @Mixin FabricOptions options)
      throws IOException, InterruptedException {
    InetSocketAddress address;
    try {
      address = Addresses.listen(listen);
    } catch (IllegalArgumentException e) {
      throw wrong(e);
    }
    long memory = FabricMeasurement.map(LENT_BYTES);
    try (Fabric fabric = open(options, address.getAddress());
        RegisteredMemory lent = fabric.register(memory, LENT_BYTES, Access.REMOTE_WRITE);
        FabricListener listener = fabric.listen(address)) {
      PrintWriter out = out();
      out.println(new Target(listener.address(), lent.address(), lent.remoteKey(), lent.length()));
      out.flush();
      while (!Thread.currentThread().isInterrupted()) {
        Thread.sleep(Long.MAX_VALUE); // until a signal ends the process
      }
      return Main.DONE;
    } finally {
      LibC.INSTANCE.munmap(memory, LENT_BYTES);
    }
  }

  @Command(name = "measure", description = "Time operations of one size.")
  int measure(
      @Parameters(paramLabel = "TARGET", description = "The line that 'serve' printed.")
          String target,
      @Option(names = "--write", description = "Write instead of reading.") boolean write,
      @Option(
              names = "--size",
              paramLabel = "SIZE",
              defaultValue = "4K",
              description = "Bytes (default 4K).")
          String size,
      @Option(
              names = "--count",
              paramLabel = "N",
              defaultValue = "20000",
              description = "How many (default 20000).")
          int count,
      @Option(
              names = "--outstanding",
              paramLabel = "N",
              defaultValue = "1",
              description = "How many at a time, each by a thread (default 1).")
          int outstanding,
      @Option(
              names = "--paced",
              description = "Measure once for each line of standard input, on one connection.")
          boolean paced,
      @Mixin FabricOptions options,
      @Option(names = "--json", description = "Print one JSON object.") boolean json)
      throws IOException, InterruptedException {
    Target peer;
    long bytes;
    try {
      peer = Target.parse(target);
      bytes = Sizes.parse(size);
    } catch (IllegalArgumentException e) {
      throw wrong(e);
    }
    if (count < 1 || bytes < 1 || bytes > LENT_BYTES) {
      throw new CommandFailure("--count is at least 1, --size from 1 to 64M");
    }
    if (outstanding < 1 || outstanding * bytes > MAX_LOCAL_BYTES || outstanding > MAX_OUTSTANDING) {
      throw new CommandFailure("--outstanding is from 1 to 64, 1G in all");
    }
    Job job = new Job(write, (int) bytes, count, outstanding);
    try (Fabric fabric = open(options, Addresses.towards(peer.peer()))) {
      measure(fabric, peer, job, paced, json);
      return Main.DONE;
    } catch (TransferException e) {
      throw new CommandFailure(
          "the peer at " + peer.peer() + " could not be reached or left: " + e.getMessage());
    }
  }

  private RuntimeException wrong(IllegalArgumentException e) {
    String text = String.valueOf(e.getMessage());
    return spec == null
        ? new CommandFailure(text, e)
        : new ParameterException(spec.commandLine(), text);
  }

  private void measure(Fabric fabric, Target peer, Job job, boolean paced, boolean json)
      throws IOException, TransferException, InterruptedException {
    try (FabricMeasurement measurement = FabricMeasurement.start(fabric, peer, job)) {
      if (!paced) {
        print(measurement.measure(), json);
        return;
      }
      BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, UTF_8));
      while (lines.readLine() != null) {
        print(measurement.measure(), json);
      }
    }
  }

  @MustBeClosed
  private static Fabric open(FabricOptions options, InetAddress address) throws IOException {
    return options.choose(address).open();
  }

  private void print(Figures figures, boolean json) {
    PrintWriter out = out();
    if (json) {
      Map<String, @Nullable Object> fields = new LinkedHashMap<>();
      fields.put("operation", figures.operation());
      fields.put("bytes", figures.bytes());
      fields.put("count", figures.count());
      fields.put("outstanding", figures.outstanding());
      fields.put("p50Micros", figures.p50Micros());
      fields.put("p99Micros", figures.p99Micros());
      fields.put("megabytesPerSecond", figures.megabytesPerSecond());
      out.println(Json.write(fields));
    } else {
      out.printf(
          Locale.ROOT,
          "%s of %d bytes: p50 %.1f us, p99 %.1f us, %.0f MB/s%n",
          figures.operation(),
          figures.bytes(),
          figures.p50Micros(),
          figures.p99Micros(),
          figures.megabytesPerSecond());
    }
    out.flush();
  }

  private PrintWriter out() {
    if (spec == null) {
      throw new IllegalStateException("not started as a command");
    }
    return spec.commandLine().getOut();
  }
}
