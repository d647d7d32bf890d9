package io.regionfs.cli;

import io.regionfs.posix.LibC;
import io.regionfs.verbs.Access;
import io.regionfs.verbs.Batch;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.RegisteredMemory;
import io.regionfs.verbs.TransferException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/**
 * Times one-sided operations, one at a time, against memory that a peer lends for the purpose: what
 * the fabric alone can do, without a filesystem.
 */
final class FabricMeasurement {
  private static final Duration DEADLINE = Duration.ofSeconds(5);
  private static final int ANONYMOUS = LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS;
  private static final int READ_WRITE = LibC.PROT_READ | LibC.PROT_WRITE;

  private FabricMeasurement() {}

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
      double p50Micros,
      double p99Micros,
      double megabytesPerSecond) {}

  /**
   * Reads or writes {@code bytes} at changing places {@code count} times, after as many again (at
   * most 20,000) to warm up.
   */
  static Figures measure(Fabric fabric, Target target, boolean write, int bytes, int count)
      throws IOException, TransferException, InterruptedException {
    if (bytes > target.length()) {
      throw new IllegalArgumentException("the peer lends only " + target.length() + " bytes");
    }
    long memory = map(bytes);
    try (RegisteredMemory local = fabric.register(memory, bytes, Access.LOCAL);
        Connection connection = fabric.connect(target.peer(), DEADLINE)) {
      run(connection, local, target, write, Math.min(count, 20_000));
      long begin = System.nanoTime();
      long[] nanos = run(connection, local, target, write, count);
      double seconds = (System.nanoTime() - begin) / 1e9;
      Arrays.sort(nanos);
      return new Figures(
          write ? "write" : "read",
          bytes,
          count,
          nanos[count / 2] / 1e3,
          nanos[(int) (count * 0.99)] / 1e3,
          (double) bytes * count / seconds / 1e6);
    } finally {
      LibC.INSTANCE.munmap(memory, bytes);
    }
  }

  private static long[] run(
      Connection connection, RegisteredMemory local, Target target, boolean write, int count)
      throws TransferException, InterruptedException {
    Batch batch = connection.newBatch();
    int bytes = (int) local.length();
    long places = target.length() / bytes;
    long[] nanos = new long[count];
    for (int i = 0; i < count; i++) {
      // A multiplicative step visits the places out of order without a random number per operation.
      long remote = target.address() + (i * 2_654_435_761L & Long.MAX_VALUE) % places * bytes;
      batch.clear();
      if (write) {
        batch.write(local.address(), local.localKey(), remote, target.key(), bytes);
      } else {
        batch.read(local.address(), local.localKey(), remote, target.key(), bytes);
      }
      long begin = System.nanoTime();
      connection.execute(batch, DEADLINE);
      nanos[i] = System.nanoTime() - begin;
    }
    return nanos;
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
