package io.regionfs.cli;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.posix.LibC;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Three hosts map one file whose home is the first, and store, write, lock, refresh, truncate and
 * punch holes at random, all at once; what each sees is compared with what it may see.
 *
 * <p>-Dregionfs.stress.operations=N how many, -Dregionfs.stress.seed=N which.
 */
class MappingStressIT {
  private static final int HOSTS = 3;
  private static final int PAGE = 4096;
  private static final int SHARED_BYTES = 12 * PAGE + 100;
  private static final long OPERATIONS = Long.getLong("regionfs.stress.operations", 24_000);
  private static final long DEADLINE_SECONDS = 60 + OPERATIONS / 200;

  /** After the bytes that have an owner: bytes of whoever has the lock, and an end that moves. */
  private static final int LOCKED_BYTES = 4 * PAGE;

  /** So many of these are never cut off. */
  private static final int LASTING_BYTES = PAGE;

  private static final int LONGEST = SHARED_BYTES + LOCKED_BYTES;

  private final SharedBytes model = new SharedBytes(HOSTS, SHARED_BYTES);

  /** By whoever holds the file's lock. */
  private final byte[] locked = new byte[LOCKED_BYTES];

  private int end = LONGEST;

  /** At home the mapping is the memory itself, where the kernel can do that. */
  @Test
  void hostsThatMapOneFileSeeWhatTheyMaySee() throws Exception {
    stress("passthrough", 0);
  }

  /**
   * And where pages are dropped at any moment. Not in the other test: that would hide a drop which
   * a lock or refresh has left out.
   */
  @Test
  void theSameWhereTheHomeKeepsPagesTooAndOtherProgramsPassBy() throws Exception {
    stress("nopassthrough", HOSTS);
  }

  @SuppressWarnings("try") // an interrupt while the cluster goes down ends the test
  private void stress(String option, int hostsWithOthers) throws Exception {
    long seed = Long.getLong("regionfs.stress.seed", System.nanoTime());
    System.out.println(
        "MappingStressIT, " + option + ": seed " + seed + ", " + OPERATIONS + " operations");
    ExecutorService threads = Executors.newFixedThreadPool(HOSTS);
    try (ClusterFixture cluster = new ClusterFixture(HOSTS, 1, "-o", option)) {
      try (FileChannel file =
          FileChannel.open(cluster.mnt(1).resolve("shared"), CREATE, READ, WRITE)) {
        file.write(ByteBuffer.allocate(LONGEST), 0);
        try (PassersBy others = new PassersBy(cluster, hostsWithOthers, "shared")) {
          runAll(cluster, threads, seed);
        }
        compareAll(file);
      } finally {
        threads.shutdownNow();
        threads.awaitTermination(60, TimeUnit.SECONDS);
      }
    }
  }

  private void runAll(ClusterFixture cluster, ExecutorService threads, long seed) throws Exception {
    List<Future<?>> running = new ArrayList<>();
    for (int host = 0; host < HOSTS; host++) {
      Random random = new Random(seed + host);
      Path path = cluster.mnt(host + 1).resolve("shared");
      Host worker = new Host(host, path, random);
      running.add(threads.submit(() -> worker.run(OPERATIONS / HOSTS)));
    }
    for (Future<?> one : running) {
      one.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    }
  }

  /** All have published what they stored. */
  private void compareAll(FileChannel file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(LONGEST);
    assertThat(file.size()).isEqualTo(end);
    while (bytes.hasRemaining() && file.read(bytes, bytes.position()) > 0) {}
    assertThat(bytes.position()).isEqualTo(end);
    for (int at = 0; at < SHARED_BYTES; at++) {
      assertThat(bytes.get(at)).as("byte %d", at).isEqualTo((byte) model.stored(at));
    }
    for (int at = SHARED_BYTES; at < end; at++) {
      assertThat(bytes.get(at)).as("byte %d", at).isEqualTo(locked[at - SHARED_BYTES]);
    }
  }

  /** One host's thread. */
  private final class Host {
    private final int self;
    private final Path path;
    private final Random random;
    private int[] refreshed = new int[SHARED_BYTES];
    private int puncher;

    Host(int self, Path path, Random random) {
      this.self = self;
      this.path = path;
      this.random = random;
    }

    Void run(long operations) throws IOException {
      // Open all the time: with the first descriptor that a process closes it loses its locks.
      puncher = LibC.INSTANCE.open(path.toString(), LibC.O_RDWR | LibC.O_CLOEXEC, 0);
      assertThat(puncher).isNotNegative();
      try (FileChannel file = FileChannel.open(path, READ, WRITE)) {
        MappedByteBuffer map = file.map(MapMode.READ_WRITE, 0, SHARED_BYTES + LASTING_BYTES);
        for (long done = 0; done < operations; done++) {
          int dice = random.nextInt(10_000);
          if (dice < 5_000) {
            store(map);
          } else if (dice < 8_500) {
            load(map);
          } else if (dice < 9_200) {
            write(file);
          } else if (dice < 9_850) {
            read(file);
          } else if (dice < 9_920) {
            sync(map);
          } else if (dice < 9_960) {
            refresh();
          } else {
            locked(file, map);
          }
        }
        sync(map);
      } finally {
        LibC.INSTANCE.close(puncher);
      }
      return null;
    }

    private int own() {
      int at = random.nextInt(SHARED_BYTES);
      while (model.owner(at) != self) {
        at = (at + 1) % SHARED_BYTES;
      }
      return at;
    }

    private void store(MappedByteBuffer map) {
      int at = own();
      if (model.isFarAhead(at)) {
        sync(map);
      }
      map.put(at, model.next(at));
    }

    private void load(MappedByteBuffer map) {
      int at = random.nextInt(SHARED_BYTES);
      int least = model.owner(at) == self ? model.stored(at) : refreshed[at];
      check(at, map.get(at), least, "in the mapping");
    }

    private void write(FileChannel file) throws IOException {
      int at = own();
      byte value = model.next(at);
      file.write(ByteBuffer.wrap(new byte[] {value}), at);
      model.publish(at, model.stored(at));
    }

    private void read(FileChannel file) throws IOException {
      int at = random.nextInt(SHARED_BYTES);
      int least = model.owner(at) == self ? model.stored(at) : model.published(at);
      ByteBuffer one = ByteBuffer.allocate(1);
      file.read(one, at);
      check(at, one.get(0), least, "read");
    }

    private void check(int at, byte value, int least, String how) {
      String fault = model.fault(at, value, least);
      if (fault != null) {
        throw new AssertionError("host " + (self + 1) + ", " + how + ": " + fault);
      }
    }

    private void sync(MappedByteBuffer map) {
      int[] stored = model.storedBy(self);
      map.force();
      model.publish(self, stored);
    }

    private void refresh() throws IOException {
      int[] stored = model.storedBy(self);
      int[] published = model.allPublished();
      Files.getFileAttributeView(path, UserDefinedFileAttributeView.class)
          .read("regionfs.refresh", ByteBuffer.allocate(1));
      model.publish(self, stored);
      refreshed = published;
    }

    /**
     * What is done under the lock is exact. Often nothing else is called there: a write, fstat(2)
     * or a new mapping could bring pages up to date by itself.
     */
    private void locked(FileChannel file, MappedByteBuffer map) throws IOException {
      int[] stored;
      int[] published = model.allPublished();
      FileLock lock = file.lock(0, 1, false);
      try {
        // The model is handed on by the file's lock, which Java knows nothing of.
        VarHandle.fullFence();
        refreshed = published;
        loadAndStore(map, SHARED_BYTES, LASTING_BYTES);
        if (random.nextInt(3) == 0) {
          int length = end - SHARED_BYTES;
          MappedByteBuffer all = file.map(MapMode.READ_WRITE, SHARED_BYTES, length);
          loadAndStore(all, 0, length);
          writeBeside(file, all);
          punch(all);
          moveEnd(file);
          loadAndStore(map, SHARED_BYTES, LASTING_BYTES);
        }
        stored = model.storedBy(self);
        VarHandle.fullFence();
      } finally {
        lock.release();
      }
      model.publish(self, stored);
    }

    /**
     * @param first where in the mapping the bytes begin that the lock guards
     */
    private void loadAndStore(MappedByteBuffer map, int first, int length) {
      for (int i = 0; i < 20; i++) {
        int at = random.nextInt(length);
        if (map.get(first + at) != locked[at]) {
          throw new AssertionError(
              "host %d, under the lock: byte %d is %d, not %d"
                  .formatted(self + 1, SHARED_BYTES + at, map.get(first + at), locked[at]));
        }
        byte value = (byte) random.nextInt();
        map.put(first + at, value);
        locked[at] = value;
      }
    }

    /** What write(2) does is in the mapping at once, and what is stored there is read(2). */
    private void writeBeside(FileChannel file, MappedByteBuffer map) throws IOException {
      int from = random.nextInt(map.limit());
      byte[] bytes = new byte[1 + random.nextInt(map.limit() - from)];
      random.nextBytes(bytes);
      file.write(ByteBuffer.wrap(bytes), SHARED_BYTES + from);
      System.arraycopy(bytes, 0, locked, from, bytes.length);
      byte[] mapped = new byte[bytes.length];
      map.get(from, mapped);
      compare(mapped, bytes, "mapped after a write at " + from);
      ByteBuffer read = ByteBuffer.allocate(map.limit());
      file.read(read, SHARED_BYTES);
      compare(read.array(), Arrays.copyOf(locked, map.limit()), "read after stores");
    }

    private void compare(byte[] found, byte[] expected, String when) {
      List<String> wrong = new ArrayList<>();
      for (int at = 0; at < expected.length; at++) {
        if (found[at] != expected[at]) {
          wrong.add(at + ": " + found[at] + ", not " + expected[at]);
        }
      }
      if (!wrong.isEmpty()) {
        int count = wrong.size();
        throw new AssertionError(
            "host %d, %s: %d bytes: %s, to %s"
                .formatted(self + 1, when, count, wrong.get(0), wrong.get(count - 1)));
      }
    }

    /** A hole is zeros in the mapping at once, and what is around it stays. */
    private void punch(MappedByteBuffer map) {
      int from = random.nextInt(map.limit());
      int length = 1 + random.nextInt(map.limit() - from);
      int mode = LibC.FALLOC_FL_PUNCH_HOLE | LibC.FALLOC_FL_KEEP_SIZE;
      assertThat(LibC.INSTANCE.fallocate(puncher, mode, SHARED_BYTES + from, length)).isZero();
      Arrays.fill(locked, from, from + length, (byte) 0);
      byte[] mapped = new byte[map.limit()];
      map.get(0, mapped);
      compare(mapped, Arrays.copyOf(locked, map.limit()), "after a hole from " + from);
    }

    private void moveEnd(FileChannel file) throws IOException {
      int old = end;
      end = SHARED_BYTES + LASTING_BYTES + random.nextInt(LOCKED_BYTES - LASTING_BYTES);
      if (end < old) {
        file.truncate(end);
        for (int at = end; at < old; at++) {
          locked[at - SHARED_BYTES] = 0;
        }
      } else if (end > old) {
        file.write(ByteBuffer.wrap(new byte[] {77}), end - 1);
        locked[end - 1 - SHARED_BYTES] = 77;
      }
    }
  }
}
