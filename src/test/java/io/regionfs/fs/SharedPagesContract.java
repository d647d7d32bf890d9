package io.regionfs.fs;

import static io.regionfs.fs.Files.O_RDONLY;
import static io.regionfs.fs.Files.O_RDWR;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.AttributeChange;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.InodeId;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Two nodes map the same file, each through a page cache of its own. A node has memory for {@link
 * #TWIN_BYTES} of twins.
 */
abstract class SharedPagesContract extends ClusterContract {
  static final long TWIN_BYTES = 1 << 20;
  private static final int PAGE = 4096;

  private InodeId fileOf(int bytes) {
    return new Files(node(1)).make("a", "x".repeat(bytes));
  }

  private PageCache mapped(int number, InodeId inode) {
    RegionFileSystem node = node(number);
    return new PageCache(node, inode, node.open(inode, O_RDWR, Files.CALLER));
  }

  private byte at(InodeId inode, long offset) {
    Files files = new Files(node(1));
    try (OpenFile file = files.open(inode, O_RDONLY)) {
      return (byte) files.read(file, offset, 1).charAt(0);
    }
  }

  private static AttributeChange size(long bytes) {
    return new AttributeChange(null, null, null, bytes, null, null);
  }

  @Test
  void differentBytesOfOnePageBothSurvive() {
    InodeId inode = fileOf(PAGE);
    try (PageCache one = mapped(1, inode);
        PageCache two = mapped(2, inode)) {
      one.load(0);
      two.load(0);
      one.store(10, 'a');
      two.store(11, 'b');
      one.store(4095, 'c');
      one.writeBack();
      two.writeBack();
      assertThat(at(inode, 10)).isEqualTo((byte) 'a');
      assertThat(at(inode, 11)).isEqualTo((byte) 'b');
      assertThat(at(inode, 12)).isEqualTo((byte) 'x');
      assertThat(at(inode, 4095)).isEqualTo((byte) 'c');
    }
  }

  @Test
  void ofOneByteTheLastWrittenBackWins() {
    InodeId inode = fileOf(PAGE);
    try (PageCache one = mapped(1, inode);
        PageCache two = mapped(2, inode)) {
      one.store(10, 'a');
      two.store(10, 'b');
      two.writeBack();
      one.writeBack();
      assertThat(at(inode, 10)).isEqualTo((byte) 'a');
      two.store(10, 'c');
      two.writeBack();
      assertThat(at(inode, 10)).isEqualTo((byte) 'c');
    }
  }

  @Test
  void whatWasWrittenBackIsNotWrittenAgain() {
    InodeId inode = fileOf(PAGE);
    try (PageCache one = mapped(1, inode);
        PageCache two = mapped(2, inode)) {
      one.store(10, 'a');
      one.writeBack();
      two.store(10, 'b');
      two.writeBack();
      one.store(20, 'c');
      one.writeBack();
      assertThat(at(inode, 10)).isEqualTo((byte) 'b');
      assertThat(at(inode, 20)).isEqualTo((byte) 'c');
    }
  }

  @Test
  void aWriteOfAnotherHostBesideADirtyByteSurvives() {
    InodeId inode = fileOf(PAGE);
    Files other = new Files(node(2));
    try (PageCache one = mapped(1, inode);
        OpenFile file = other.open(inode, O_RDWR)) {
      one.store(10, 'a');
      other.write(file, 11, "bb");
      one.writeBack();
      assertThat(at(inode, 10)).isEqualTo((byte) 'a');
      assertThat(at(inode, 11)).isEqualTo((byte) 'b');
    }
  }

  @Test
  void aRefreshPublishesAndShowsWhatOthersWrote() {
    InodeId inode = fileOf(PAGE);
    try (PageCache one = mapped(1, inode);
        PageCache two = mapped(2, inode)) {
      one.store(1, 'a');
      two.store(2, 'b');
      node(1).refresh(inode);
      node(2).refresh(inode);
      node(1).refresh(inode);
      assertThat(one.kept()).isZero();
      assertThat(one.load(2)).isEqualTo((byte) 'b');
      assertThat(two.load(1)).isEqualTo((byte) 'a');
    }
  }

  @Test
  void pagesComeBackWithinTheEndAndDoNotMoveIt() {
    InodeId inode = fileOf(PAGE + 100);
    try (PageCache one = mapped(1, inode)) {
      one.store(PAGE + 50, 'a');
      one.store(PAGE + 99, 'b');
      node(2).setAttributes(inode, size(PAGE + 60));
      one.store(PAGE + 70, 'c');
      one.writeBack();
      assertThat(node(2).attributes(inode).size()).isEqualTo(PAGE + 60);
      assertThat(at(inode, PAGE + 50)).isEqualTo((byte) 'a');
      node(2).setAttributes(inode, size(2 * PAGE));
      assertThat(at(inode, PAGE + 70)).isZero();
      assertThat(at(inode, PAGE + 99)).isZero();
    }
  }

  @Test
  void zerosThatTheKernelMadeBeyondASizeAreNotWritten() {
    InodeId inode = fileOf(PAGE);
    Files other = new Files(node(2));
    try (PageCache one = mapped(1, inode);
        OpenFile file = other.open(inode, O_RDWR)) {
      one.store(10, 'a');
      one.cut(node(1).setAttributes(inode, size(100)).size());
      other.write(file, 100, "y".repeat(1000));
      one.store(11, 'b');
      one.writeBack();
      assertThat(at(inode, 11)).isEqualTo((byte) 'b');
      assertThat(at(inode, 100)).isEqualTo((byte) 'y');
      assertThat(at(inode, 1099)).isEqualTo((byte) 'y');
    }
  }

  /** The kernel moved the end itself when the file was written, and was not told of that size. */
  @Test
  void zerosBeyondASizeAreNotWrittenWhereThisHostHadMadeTheFileLonger() {
    InodeId inode = fileOf(10);
    Files own = new Files(node(1));
    Files other = new Files(node(2));
    try (PageCache one = mapped(1, inode);
        OpenFile writer = own.open(inode, O_RDWR);
        OpenFile file = other.open(inode, O_RDWR)) {
      assertThat(node(1).attributes(inode).size()).isEqualTo(10);
      own.write(writer, 0, "x".repeat(PAGE));
      one.store(10, 'a');
      node(2).setAttributes(inode, size(100));
      one.cut(node(1).attributes(inode).size());
      other.write(file, 100, "y".repeat(1000));
      one.store(11, 'b');
      one.writeBack();
      assertThat(at(inode, 11)).isEqualTo((byte) 'b');
      assertThat(at(inode, 100)).isEqualTo((byte) 'y');
      assertThat(at(inode, 1099)).isEqualTo((byte) 'y');
    }
  }

  @Test
  void zerosOfAPunchedHoleAreNotWritten() {
    InodeId inode = fileOf(2 * PAGE);
    Files other = new Files(node(2));
    try (PageCache one = mapped(1, inode);
        OpenFile file = node(1).open(inode, O_RDWR, Files.CALLER);
        OpenFile others = other.open(inode, O_RDWR)) {
      one.store(10, 'a');
      file.allocate(FallocateMode.PUNCH_HOLE, 100, 200);
      one.zero(100, 300);
      one.store(11, 'b');
      other.write(others, 150, "y");
      one.writeBack();
      assertThat(at(inode, 150)).isEqualTo((byte) 'y');
      assertThat(at(inode, 151)).isZero();
    }
  }

  @Test
  void whatWasThereBeforeAHoleCanBeStoredAgain() {
    InodeId inode = fileOf(3 * PAGE);
    try (PageCache one = mapped(1, inode);
        OpenFile file = node(1).open(inode, O_RDWR, Files.CALLER)) {
      one.store(10, 'a');
      one.store(2 * PAGE + 10, 'a');
      file.allocate(FallocateMode.PUNCH_HOLE, 100, 2 * PAGE);
      one.zero(100, 100 + 2 * PAGE);
      for (int offset : new int[] {101, PAGE, 2 * PAGE + 99}) {
        one.store(offset, 'x');
      }
      one.writeBack();
      assertThat(at(inode, 10)).isEqualTo((byte) 'a');
      assertThat(at(inode, 100)).isZero();
      assertThat(at(inode, 101)).isEqualTo((byte) 'x');
      assertThat(at(inode, PAGE)).isEqualTo((byte) 'x');
      assertThat(at(inode, 2 * PAGE + 98)).isZero();
      assertThat(at(inode, 2 * PAGE + 99)).isEqualTo((byte) 'x');
      assertThat(at(inode, 2 * PAGE + 100)).isEqualTo((byte) 'x');
    }
  }

  @Test
  void holesOfAFileTakeWhatIsStored() {
    InodeId inode = fileOf(10);
    node(1).setAttributes(inode, size(1 << 20));
    try (PageCache two = mapped(2, inode)) {
      two.store(100 * PAGE + 7, 'a');
      two.writeBack();
      assertThat(at(inode, 100 * PAGE + 7)).isEqualTo((byte) 'a');
      assertThat(at(inode, 100 * PAGE + 8)).isZero();
      assertThat(node(1).attributes(inode).size()).isEqualTo(1 << 20);
    }
  }

  @Test
  void everyOtherByteOfAPageIsTwoThousandRuns() {
    InodeId inode = fileOf(4 * PAGE);
    try (PageCache one = mapped(1, inode);
        PageCache two = mapped(2, inode)) {
      for (int i = 0; i < 4 * PAGE; i += 2) {
        one.store(i, 'a');
        two.store(i + 1, 'b');
      }
      one.writeBack();
      two.writeBack();
    }
    assertThat(new Files(node(1)).content(inode)).isEqualTo("ab".repeat(2 * PAGE));
  }

  @Test
  void aFileThatNobodyMayChangeNeedsNoTwins() {
    int pages = 512;
    InodeId inode = fileOf(pages * PAGE);
    RegionFileSystem node = node(2);
    try (PageCache cache = new PageCache(node, inode, node.open(inode, O_RDONLY, Files.CALLER))) {
      for (int i = 0; i < pages; i++) {
        assertThat(cache.load((long) i * PAGE)).isEqualTo((byte) 'x');
      }
      assertThat(cache.kept()).isEqualTo(pages);
      node.refresh(inode);
      assertThat(cache.kept()).isZero();
    }
  }

  @Test
  void moreIsMappedThanThereIsMemoryToRemember() {
    int pages = 2048;
    InodeId inode = fileOf(PAGE);
    node(1).setAttributes(inode, size((long) pages * PAGE));
    try (PageCache one = mapped(1, inode);
        PageCache two = mapped(2, inode)) {
      for (int i = 0; i < pages; i++) {
        one.store((long) i * PAGE + 1, 'a');
        two.store((long) i * PAGE + 2, 'b');
      }
      one.writeBack();
      two.writeBack();
      for (int i = 0; i < pages; i++) {
        assertThat(one.load((long) i * PAGE + 1)).isEqualTo((byte) 'a');
        assertThat(at(inode, (long) i * PAGE + 2)).isEqualTo((byte) 'b');
      }
    }
  }

  /** A read that waits for memory is not what the drop that frees it waits for. */
  @Test
  void pagesThatAreReadTogetherAreRememberedWhenMemoryIsShort() {
    int early = (int) (TWIN_BYTES / PAGE / 4 * 3);
    int late = 128;
    InodeId inode = fileOf(10);
    node(1).setAttributes(inode, size((long) (early + late) * PAGE));
    try (PageCache one = mapped(1, inode);
        PageCache two = mapped(2, inode)) {
      one.read(0, early);
      one.read(early, late);
      for (long page = early; page < early + late; page++) {
        one.store(page * PAGE, 'a');
        two.store(page * PAGE + 1, 'b');
      }
      two.writeBack();
      one.writeBack();
      for (long page = early; page < early + late; page++) {
        assertThat(at(inode, page * PAGE)).isEqualTo((byte) 'a');
        assertThat(at(inode, page * PAGE + 1)).isEqualTo((byte) 'b');
      }
    }
  }

  /**
   * One byte of a page belongs to one node; what each last stored there must be there at the end.
   */
  @Test
  void randomStoresOfTwoNodesMatchAnArray() {
    long seed = System.nanoTime();
    System.out.println("randomStoresOfTwoNodesMatchAnArray: seed " + seed);
    Random random = new Random(seed);
    int length = 8 * PAGE;
    InodeId inode = fileOf(length);
    byte[] expected = new byte[length];
    Arrays.fill(expected, (byte) 'x');
    try (PageCache one = mapped(1, inode);
        PageCache two = mapped(2, inode)) {
      for (int i = 0; i < 20_000; i++) {
        PageCache cache = random.nextBoolean() ? one : two;
        int offset = random.nextInt(length / 2) * 2 + (cache == one ? 0 : 1);
        byte value = (byte) ('a' + random.nextInt(26));
        switch (random.nextInt(50)) {
          case 0 -> cache.writeBack();
          case 1 -> node(cache == one ? 1 : 2).refresh(inode);
          default -> {
            cache.store(offset, value);
            expected[offset] = value;
          }
        }
        assertThat(cache.load(offset)).isEqualTo(expected[offset]);
      }
    }
    String content = new Files(node(1)).content(inode);
    assertThat(content).isEqualTo(new String(expected, StandardCharsets.ISO_8859_1));
  }
}
