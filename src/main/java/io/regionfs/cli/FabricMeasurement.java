package io.regionfs.cli;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.posix.LibC;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.RegisteredMemory;
import io.regionfs.verbs.TransferException;
import io.regionfs.verbs.TransferException.Reason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Times one-sided operations against memory that a peer lends for the purpose: what the fabric
 * alone can do, without a filesystem. Several at a time are several threads on one connection, as
 * in a mount.
 */
final class FabricMeasurement implements AutoCloseable {
  private static final Duration DEADLINE = Duration.ofSeconds(5);
  private static final int ANONYMOUS = LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS;
  private static final int READ_WRITE = LibC.PROT_READ | LibC.PROT_WRITE;

  private final Connection connection;
  private final RegisteredMemory local;
  private final Target target;
  private final Job job;

  private FabricMeasurement(Connection connection, RegisteredMemory local, Target target, Job job) {
    this.connection = connection;
    this.local = local;
    this.target = target;
    this.job = job;
  }

  /**
   * What a measuring peer must know of the lent memory; its text form is IP:PORT/ADDRESS/KEY/LENGTH
   * in hexadecimal.
   */
  record Target(InetSocketAddress peer, long address, int key, long length) {
    static Target parse(String text) {
      String[] parts = text.split("/", -1);
      int colon = parts[0].lastIndexOf(':');
      if (parts.length != 4 || colon < 0) {
        throw new IllegalArgumentException(
            "not a target: \"" + text + "\"; take the line that `fabric serve` prints");
      }
      return new Target(
          new InetSocketAddress(
              parts[0].substring(0, colon), Integer.parseInt(parts[0].substring(colon + 1))),
          Long.parseUnsignedLong(parts[1], 16),
          Integer.parseUnsignedInt(parts[2], 16),
          Long.parseUnsignedLong(parts[3], 16));
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%s:%d/%x/%x/%x",
          peer.getAddress().getHostAddress(),
          peer.getPort(),
          address,
          key,
          length);
    }
  }

  /** Microseconds per operation and bytes per second. */
  record Figures(
      String operation,
      int bytes,
      int count,
      int outstanding,
      double p50Micros,
      double p99Micros,
      double megabytesPerSecond) {}

  /** What to do: operations of so many bytes, so often, so many at a time. */
  record Job(boolean write, int bytes, int count, int outstanding) {}

  /** Connects, and does as many operations as the job has (at most 20,000) to warm up. */
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // what fails half-way is closed by hand
  static FabricMeasurement start(Fabric fabric, Target target, Job job)
      throws IOException, TransferException, InterruptedException {
    if (job.bytes > target.length()) {
      throw new IllegalArgumentException("the peer lends only " + target.length() + " bytes");
    }
    long length = (long) job.bytes * job.outstanding;
    long memory = map(length);
    RegisteredMemory local = null;
    boolean started = false;
    try {
      local = fabric.register(memory, length, Access.LOCAL);
      FabricMeasurement made =
          new FabricMeasurement(fabric.connect(target.peer(), DEADLINE), local, target, job);
      started = true;
      made.new Run(Math.min(job.count, 20_000)).go();
      return made;
    } finally {
      if (!started) {
        if (local != null) {
          local.close();
        }
        LibC.INSTANCE.munmap(memory, length);
      }
    }
  }

  /** Does the job once, at changing places of the target. */
  Figures measure() throws TransferException, InterruptedException {
    Run run = new Run(job.count);
    long nanos = run.go();
    Arrays.sort(run.nanos);
    return new Figures(
        job.write ? "write" : "read",
        job.bytes,
        job.count,
        job.outstanding,
        run.nanos[job.count / 2] / 1e3,
        run.nanos[(int) (job.count * 0.99)] / 1e3,
        (double) job.bytes * job.count / nanos * 1e3);
  }

  @Override
  public void close() {
    connection.close();
    long address = local.address();
    long length = local.length();
    local.close();
    LibC.INSTANCE.munmap(address, length);
  }

  /** One series of operations. */
  private final class Run {
    private final CountDownLatch ready = new CountDownLatch(job.outstanding);
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();

    /** How long each took. */
    final long[] nanos;

    Run(int count) {
      nanos = new long[count];
    }

    /** Returns how long all took. The caller is one of the threads. */
    long go() throws TransferException, InterruptedException {
      Thread[] others = new Thread[job.outstanding - 1];
      for (int i = 0; i < others.length; i++) {
        int lane = i + 1;
        others[i] = new Thread(() -> tryOperations(lane), "measuring-" + lane);
        others[i].setDaemon(true);
        others[i].start();
      }
      ready.countDown();
      ready.await();
      long begin = System.nanoTime();
      operations(0);
      for (Thread other : others) {
        other.join();
      }
      Exception failed = failure.get();
      if (failed != null) {
        throw new TransferException(
            Reason.DISCONNECTED, "a thread failed: " + failed.getMessage(), failed);
      }
      return System.nanoTime() - begin;
    }

    private void tryOperations(int lane) {
      try {
        ready.countDown();
        ready.await();
        operations(lane);
      } catch (TransferException | InterruptedException e) {
        failure.compareAndSet(null, e);
      }
    }

    private void operations(int lane) throws TransferException, InterruptedException {
      Batch batch = connection.newBatch();
      int bytes = job.bytes;
      long mine = local.address() + (long) lane * bytes;
      long places = target.length() / bytes;
      for (int i = next.getAndIncrement(); i < nanos.length; i = next.getAndIncrement()) {
        // A multiplicative step visits the places out of order without a random number for each.
        long remote = target.address() + (i * 2_654_435_761L & Long.MAX_VALUE) % places * bytes;
        batch.clear();
        if (job.write) {
          batch.write(mine, local.localKey(), remote, target.key(), bytes);
        } else {
          batch.read(mine, local.localKey(), remote, target.key(), bytes);
        }
        long begin = System.nanoTime();
        connection.execute(batch, DEADLINE);
        nanos[i] = System.nanoTime() - begin;
      }
    }
  }

  /** Anonymous memory of this many bytes; the caller unmaps it. */
  static long map(long bytes) throws IOException {
    long address = LibC.INSTANCE.mmap(0, bytes, READ_WRITE, ANONYMOUS, -1, 0);
    if (address == -1) {
      throw new IOException(
          "no memory: mmap of " + bytes + " bytes failed with errno " + LibC.errno());
    }
    return address;
  }
}
