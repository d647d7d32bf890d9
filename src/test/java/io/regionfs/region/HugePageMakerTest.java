package io.regionfs.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.data.BackingFile;
import io.regionfs.data.Region;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import io.regionfs.posix.OwnTmpfs;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On a tmpfs of its own, as a node has it: only root may mount one. */
@SuppressWarnings("MustBeClosedChecker") // closed in nothingIsLeft
class HugePageMakerTest {
  private static final int HUGE = (int) Pages.HUGE_BYTES;
  private static final long BUDGET = 64L << 20;
  private static final InodeId INODE = new InodeId(7);

  private final FakeFabric fabric = new FakeFabric();
  private final HeapBuffer buffer = new HeapBuffer(4 << 20);
  private Path directory = Path.of("");
  private Path files = Path.of("");
  private LentMemory memory;
  private HugePageMaker maker;
  private Region region;

  @SuppressWarnings("NullAway.Init")
  HugePageMakerTest() {}

  @BeforeEach
  void lend() throws IOException, InterruptedException {
    assumeTrue(LibC.INSTANCE.getuid() == 0, "only root may mount a tmpfs");
    directory = LentMemoryFixture.newDirectory();
    files = directory.resolve("bytes");
    assertThat(OwnTmpfs.mount(files, BUDGET, "advise")).isTrue();
    LentMemoryOptions options =
        new LentMemoryOptions(directory, files, BUDGET, false, BUDGET, 1 << 10, 1 << 10);
    memory = LentMemory.open(options, fabric, LentMemoryFixture.SELF, HeapBuffer::new);
    maker = memory.hugePages();
    region = memory.open(INODE, LentMemoryFixture.HOME, true);
    assumeTrue(canMake(), "this kernel makes no huge pages on demand (it takes Linux 6.1)");
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    if (memory != null) {
      region.close();
      memory.close();
      LentMemoryFixture.delete(directory);
      assertThat(fabric.registrations()).isZero();
    }
    buffer.close();
  }

  private boolean canMake() throws InterruptedException {
    write(0, LentMemoryFixture.pattern(HUGE, 1));
    try {
      rounds();
      return true;
    } catch (FsException e) {
      return false;
    } finally {
      region.truncate(0);
    }
  }

  /** One to see the memory, one to find it unchanged. */
  private void rounds() throws InterruptedException {
    assertThat(maker.round()).isTrue();
    assertThat(maker.round()).isTrue();
  }

  private void write(long offset, byte[] data) {
    Memory.put(buffer.address(), data, 0, data.length);
    region.write(offset, buffer, 0, data.length);
  }

  private byte[] read(int length) {
    byte[][] result = new byte[1][];
    region.read(
        0,
        length,
        buffer,
        (address, count) -> {
          result[0] = new byte[count];
          Memory.get(address, result[0], 0, count);
        });
    return result[0];
  }

  private Path file() {
    return files.resolve("%016x".formatted(INODE.value()));
  }

  /** Bytes of the region that this process has mapped by huge pages. */
  private long hugeBytes() throws IOException {
    boolean ours = false;
    long found = 0;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.contains(" r") && line.contains("-")) {
        ours = line.endsWith(file().toString());
      } else if (ours && line.startsWith("ShmemPmdMapped:")) {
        found += Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
      }
    }
    return found;
  }

  private long used() throws IOException {
    return Files.getFileStore(files).getTotalSpace() - Files.getFileStore(files).getUsableSpace();
  }

  @Test
  void whatIsDenseBecomesHugeAndWhatIsSparseStaysSparse() throws Exception {
    byte[] data = LentMemoryFixture.pattern(3 * HUGE / 2, 2);
    write(HUGE / 2, data);
    write(16L << 20, new byte[] {1});
    assertThat(hugeBytes()).isZero();
    rounds();
    assertThat(hugeBytes()).isEqualTo(HUGE);
    assertThat(used()).isEqualTo(data.length + Pages.BYTES);
    assertThat(memory.status().allocatedBytes()).isEqualTo(used());
    assertThat(Arrays.copyOfRange(read(2 * HUGE), HUGE / 2, 2 * HUGE)).isEqualTo(data);
  }

  @Test
  void whatStillGrowsIsLeftAlone() throws Exception {
    write(0, LentMemoryFixture.pattern(HUGE, 3));
    maker.round();
    write(HUGE, LentMemoryFixture.pattern(HUGE, 4));
    maker.round();
    assertThat(hugeBytes()).isZero();
    maker.round();
    assertThat(hugeBytes()).isEqualTo(2L * HUGE);
  }

  @Test
  void memoryOfAHoleInAHugePageIsGivenBack() throws Exception {
    write(0, LentMemoryFixture.pattern(HUGE, 5));
    rounds();
    region.allocate(FallocateMode.PUNCH_HOLE, 3 * Pages.BYTES, 2 * Pages.BYTES);
    assertThat(used()).isEqualTo(HUGE - 2 * Pages.BYTES);
    assertThat(memory.status().allocatedBytes()).isEqualTo(used());
    region.truncate(Pages.BYTES + 5);
    assertThat(used()).isEqualTo(2 * Pages.BYTES);
    assertThat(memory.status().allocatedBytes()).isEqualTo(used());
  }

  @Test
  void filesThatTheKernelUsesItselfBecomeHugeToo() throws Exception {
    byte[] data = LentMemoryFixture.pattern(HUGE, 6);
    write(0, new byte[] {1});
    try (BackingFile direct = region.passThrough();
        RandomAccessFile kernel = new RandomAccessFile(file().toFile(), "rw")) {
      assertThat(direct).isNotNull();
      kernel.write(data);
      kernel.seek(3L * HUGE);
      kernel.write(1);
      rounds();
      assertThat(hugeBytes()).isEqualTo(HUGE);
      assertThat(used()).isEqualTo(HUGE + Pages.BYTES);
      assertThat(read(HUGE)).isEqualTo(data);
    }
    assertThat(memory.status().allocatedBytes()).isEqualTo(used());
    assertThat(read(HUGE)).isEqualTo(data);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bytesAndMemoryAreRightWhateverHappensMeanwhile(boolean passThrough) throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    int most = 8 * HUGE;
    byte[] model = new byte[most];
    int size = 0;
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread rounds = new Thread(() -> roundsUntilInterrupted(failure));
    BackingFile direct = null;
    rounds.start();
    try {
      for (int i = 0; i < 600; i++) {
        int offset = random.nextInt(most - HUGE);
        int length = 1 + random.nextInt(HUGE);
        switch (random.nextInt(8)) {
          case 0 -> {
            region.truncate(offset);
            if (offset < size) {
              Arrays.fill(model, offset, size, (byte) 0);
            }
            size = offset;
          }
          case 1 -> {
            region.allocate(FallocateMode.PUNCH_HOLE, offset, length);
            Arrays.fill(model, offset, Math.min(most, offset + length), (byte) 0);
          }
          case 2 -> {
            if (direct != null) {
              direct.close();
              direct = null;
            } else if (passThrough && size > 0) {
              direct = region.passThrough();
            }
          }
          default -> {
            byte[] data = LentMemoryFixture.pattern(length, random.nextLong());
            write(offset, data);
            System.arraycopy(data, 0, model, offset, length);
            size = Math.max(size, offset + length);
          }
        }
        if (i % 20 == 0) {
          assertSame(model, size, i);
        }
      }
      assertSame(model, size, 600);
    } finally {
      rounds.interrupt();
      rounds.join();
      if (direct != null) {
        direct.close();
      }
    }
    assertThat(failure.get()).isNull();
    assertThat(memory.status().allocatedBytes()).isEqualTo(used());
  }

  private void assertSame(byte[] model, int size, int step) {
    assertThat(region.stat().size()).as("size at %d", step).isEqualTo(size);
    for (int at = 0; at < size; at += HUGE) {
      int from = at;
      int length = Math.min(HUGE, size - at);
      region.read(
          at,
          length,
          buffer,
          (address, count) -> {
            byte[] found = new byte[count];
            Memory.get(address, found, 0, count);
            int wrong = Arrays.mismatch(found, Arrays.copyOfRange(model, from, from + length));
            assertThat(wrong).as("first wrong byte from %d at step %d", from, step).isEqualTo(-1);
          });
    }
  }

  private void roundsUntilInterrupted(AtomicReference<Throwable> failure) {
    try {
      while (!Thread.interrupted()) {
        maker.round();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (FsException | AssertionError e) {
      failure.set(e);
    }
  }

  @Test
  void ofARegionThatIsRemovedNothingIsMade() throws Exception {
    write(0, LentMemoryFixture.pattern(HUGE, 8));
    maker.round();
    memory.drop(INODE);
    assertThat(maker.round()).isTrue();
    assertThat(List.of(used())).containsExactly(0L);
  }
}
