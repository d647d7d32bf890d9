package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.data.Region;
import io.regionfs.model.InodeId;
import io.regionfs.model.NodeId;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** A lending host in a directory of its own on /dev/shm, which can be started again. */
@SuppressWarnings({"MustBeClosedChecker", "NullAway.Init"}) // closed in close()
final class LentMemoryFixture implements AutoCloseable {
  static final NodeId HOME = new NodeId(1);

  /** The fabric of these tests does not connect. */
  static final InetSocketAddress SELF = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private static final int BUFFER_BYTES = 4 << 20;

  final FakeFabric fabric = new FakeFabric();
  final Path directory;
  final HeapBuffer buffer = new HeapBuffer(BUFFER_BYTES);
  LentMemory memory;
  private final LentMemoryOptions options;

  LentMemoryFixture(long budgetBytes) throws IOException {
    this(budgetBytes, budgetBytes + (1 << 20), 1 << 10, 1 << 10);
  }

  LentMemoryFixture(long budgetBytes, long pinBudgetBytes, int maxExposures, int maxMappings)
      throws IOException {
    directory = newDirectory();
    options =
        new LentMemoryOptions(directory, budgetBytes, pinBudgetBytes, maxExposures, maxMappings);
    memory = LentMemory.open(options, fabric, SELF, HeapBuffer::new);
  }

  static Path newDirectory() throws IOException {
    return Files.createTempDirectory(Path.of("/dev/shm"), "regionfs-test-");
  }

  static void delete(Path directory) throws IOException {
    assertThat(MemoryDirectory.delete(directory)).isTrue();
    assertThat(directory).doesNotExist();
  }

  void restart() throws IOException {
    memory.close();
    memory = LentMemory.open(options, fabric, SELF, HeapBuffer::new);
  }

  Region open(long inode) {
    return memory.open(new InodeId(inode), HOME, true);
  }

  static byte[] pattern(int length, long seed) {
    byte[] data = new byte[length];
    new Random(seed).nextBytes(data);
    return data;
  }

  void write(Region region, long offset, byte[] data) {
    Memory.put(buffer.address(), data, 0, data.length);
    region.write(offset, buffer, 0, data.length);
  }

  byte[] read(Region region, long offset, int length) {
    byte[][] result = new byte[1][];
    region.read(
        offset,
        length,
        buffer,
        (address, count) -> {
          result[0] = new byte[count];
          Memory.get(address, result[0], 0, count);
        });
    return result[0];
  }

  /** What the file of a region really takes of the tmpfs. */
  long bytesOnTmpfs(long inode) throws IOException, InterruptedException {
    Path file = directory.resolve("%016x".formatted(inode));
    Process stat =
        new ProcessBuilder("stat", "-c", "%b", file.toString()).redirectErrorStream(true).start();
    String blocks = new String(stat.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
    assertThat(stat.waitFor()).as(blocks).isZero();
    return Long.parseLong(blocks) * 512;
  }

  @Override
  public void close() throws IOException {
    memory.close();
    buffer.close();
    delete(directory);
    assertThat(fabric.registrations()).isZero();
  }
}
