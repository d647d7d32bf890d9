package io.regionfs.metaserver.raft;

import com.alipay.sofa.jraft.Node;
import com.google.protobuf.ByteString;
import io.regionfs.meta.MetadataProtocol;
import io.regionfs.metaserver.MetadataOptions;
import io.regionfs.metaserver.MetadataService;
import io.regionfs.proto.Command;
import io.regionfs.proto.Create;
import io.regionfs.proto.FileType;
import io.regionfs.proto.OpenSession;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.proto.Time;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;

/**
 * Measures what the metadata service makes of its engine: changes per second of three replicas in
 * this process with 64 callers, against the bare engine with entries of the same size. Prints JSON.
 * Run by scripts/bench.
 */
public final class ChangeRate {
  private static final int REPLICAS = 3;
  private static final int CALLERS = 64;

  private ChangeRate() {}

  /** DIRECTORY ROUNDS SECONDS. */
  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    int rounds = Integer.parseInt(arguments[1]);
    Duration time = Duration.ofSeconds(Integer.parseInt(arguments[2]));
    byte[] entry = command(1).toByteArray();
    List<Double> raw = new ArrayList<>();
    List<Double> service = new ArrayList<>();
    // In this order: both with the log's settings of RocksDB, which hold for a whole process.
    try (Cluster cluster = Cluster.start(REPLICAS, directory);
        RawEngine engine = RawEngine.start(REPLICAS, directory)) {
      Node leader = engine.leader();
      Cluster.Member leading = cluster.leader();
      try (MetadataService meta =
          new MetadataService(
              new MetadataOptions("bench", "here", MetadataOptions.DEFAULT_LEASE),
              leading.replica(),
              leading.log())) {
        openSessions(meta);
        for (int round = 0; round <= rounds; round++) {
          double bare = rate(time, number -> RawEngine.append(leader, entry));
          double ours = rate(time, number -> call(meta, request(number)));
          if (round > 0) { // the first one warms up
            raw.add(bare);
            service.add(ours);
          }
        }
      }
    }
    double bare = median(raw);
    double ours = median(service);
    System.out.printf(
        Locale.ROOT,
        "{\"entry_bytes\": %d, \"engine_per_s\": %.0f, \"service_per_s\": %.0f, \"ratio\": %.3f}%n",
        entry.length,
        bare,
        ours,
        ours / bare);
    System.exit(0); // the engine keeps threads for the life of a process
  }

  private static Operation create(long number) {
    Create create =
        Create.newBuilder()
            .setParent(1)
            .setName(ByteString.copyFrom("file-" + number, StandardCharsets.UTF_8))
            .setType(FileType.FILE_TYPE_FILE)
            .setMode(0644)
            .setHome(1)
            .build();
    return Operation.newBuilder().setCreate(create).build();
  }

  /** As the service would propose it. */
  private static Command command(long number) {
    return Command.newBuilder()
        .setClientId(Long.MAX_VALUE)
        .setSequence(1_000_000)
        .setAcknowledged(999_999)
        .setStamp(Time.newBuilder().setSeconds(1_800_000_000).setNanos(999_999_999))
        .setOperation(create(1_000_000 + number))
        .setNewInode(1_000_000)
        .build();
  }

  private static long client(long number) {
    return 1 + number % CALLERS;
  }

  private static Request request(long number) {
    long sequence = 2 + number / CALLERS;
    return Request.newBuilder()
        .setVersion(MetadataProtocol.VERSION)
        .setClientId(client(number))
        .setSequence(sequence)
        .setAcknowledged(sequence - 1)
        .setOperation(create(number))
        .build();
  }

  private static void openSessions(MetadataService service) {
    for (long caller = 0; caller < CALLERS; caller++) {
      Request request =
          Request.newBuilder()
              .setVersion(MetadataProtocol.VERSION)
              .setClientId(client(caller))
              .setSequence(1)
              .setOperation(Operation.newBuilder().setOpenSession(OpenSession.getDefaultInstance()))
              .build();
      call(service, request).join();
    }
  }

  private static CompletableFuture<Void> call(MetadataService service, Request request) {
    CompletableFuture<Reply> answer = new CompletableFuture<>();
    service.handle(request, answer::complete);
    return answer.thenAccept(
        reply -> {
          if (reply.getErrno() != 0) {
            throw new IllegalStateException(reply.toString());
          }
        });
  }

  private static final AtomicLong NUMBERS = new AtomicLong();

  /** Each caller waits for its change before it makes the next one. */
  private static double rate(Duration time, LongFunction<CompletableFuture<Void>> change)
      throws Exception {
    long first = NUMBERS.get();
    long start = System.nanoTime();
    long end = start + time.toNanos();
    ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
    List<Future<Long>> counts = new ArrayList<>();
    for (int caller = 0; caller < CALLERS; caller++) {
      long offset = caller;
      counts.add(
          callers.submit(
              () -> {
                long made = 0;
                while (System.nanoTime() < end) {
                  change.apply(first + made * CALLERS + offset).join();
                  made++;
                }
                return made;
              }));
    }
    long total = 0;
    long most = 0;
    for (Future<Long> count : counts) {
      long made = count.get(5, TimeUnit.MINUTES);
      total += made;
      most = Math.max(most, made);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    callers.shutdown();
    NUMBERS.set(first + most * CALLERS);
    return total / seconds;
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
  }
}
