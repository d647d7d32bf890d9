package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.fs.FileSystem.ForgetListener;
import io.regionfs.fs.OpenFile;
import io.regionfs.model.Caller;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import io.regionfs.posix.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What {@link PageNotices} relies on: when the notice returns, the changed pages of a mapping have
 * come back and none is left, whatever else uses the file meanwhile.
 */
class KernelPagesIT extends FuseMountFixture {
  private static final int SECONDS = 60;
  private static final int PAGES = 64;
  private static final long BYTES = PAGES * 4096L;

  @Override
  FuseOptions options() {
    return FuseOptions.defaults().withMaxThreads(2);
  }

  private Path file;
  private InodeId inode;

  @BeforeEach
  void makeFile() throws IOException {
    assumeTrue(Shell.has("python3"), "skipped: no python3");
    file = directory.resolve("f");
    Files.write(file, new byte[(int) BYTES]);
    inode = new InodeId((Long) Files.getAttribute(file, "unix:ino"));
  }

  /** As another host would write it: this kernel knows nothing of it. */
  private void writeElsewhere(long offset, int value) {
    try (MappedBuffer buffer = new MappedBuffer(4096, () -> {});
        OpenFile there = fileSystem.open(inode, LibC.O_RDWR, new Caller(0, 0, 0))) {
      Memory.putByte(buffer.address(), (byte) value);
      there.write(offset, buffer, 0, 1, false);
    }
  }

  private int byteAt(long offset) {
    int[] found = new int[1];
    try (MappedBuffer buffer = new MappedBuffer(4096, () -> {});
        OpenFile there = fileSystem.open(inode, LibC.O_RDONLY, new Caller(0, 0, 0))) {
      there.read(offset, 1, buffer, (address, length) -> found[0] = Memory.getByte(address));
    }
    return found[0];
  }

  private void drop(long offset, long length) throws Exception {
    ForgetListener listener = fileSystem.listener();
    CompletableFuture.runAsync(() -> listener.dropPages(inode, offset, length))
        .get(SECONDS, TimeUnit.SECONDS);
  }

  @Test
  void changedPagesComeBackAndCleanOnesAreReadAgain() throws Exception {
    try (Mapper mapper = new Mapper(file, BYTES)) {
      mapper.fill(1);
      drop(0, Long.MAX_VALUE);
      assertThat(fileSystem.pageWrites.get()).isPositive();
      for (int page = 0; page < PAGES; page++) {
        assertThat(byteAt(page * 4096L)).as("page %s", page).isEqualTo(1);
      }
      writeElsewhere(8192, 2);
      assertThat(mapper.load(8192)).as("read again").isEqualTo(2);
      writeElsewhere(8192, 3);
      assertThat(mapper.load(8192)).as("kept, until the next notice").isEqualTo(2);
      int before = fileSystem.pageWrites.get();
      drop(8192, 1);
      assertThat(mapper.load(8192)).isEqualTo(3);
      assertThat(fileSystem.pageWrites).as("nothing was changed").hasValue(before);
    }
  }

  @Test
  void onlyTheRangeIsDropped() throws Exception {
    try (Mapper mapper = new Mapper(file, BYTES)) {
      mapper.fill(1);
      assumeThat(fileSystem.pageWrites).as("what the kernel wrote back by itself").hasValue(0);
      drop(4096, 4096);
      assertThat(byteAt(0)).isZero();
      assertThat(byteAt(4096)).isEqualTo(1);
      assertThat(byteAt(8192)).isZero();
      drop(BYTES - 4096, Long.MAX_VALUE - 10);
      assertThat(byteAt(BYTES - 4096)).isEqualTo(1);
      assertThat(byteAt(0)).isZero();
      drop(0, 0);
      drop(BYTES, Long.MAX_VALUE);
      assertThat(byteAt(0)).isZero();
    }
  }

  @Test
  void whatIsOnItsWayIsThereWhenADropReturns() throws Exception {
    CountDownLatch sent = new CountDownLatch(1);
    CountDownLatch save = new CountDownLatch(1);
    fileSystem.beforePagesAreSaved =
        () -> {
          sent.countDown();
          try {
            save.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    try (Mapper mapper = new Mapper(file, BYTES)) {
      // The kernel may begin by itself, and let the store wait for that.
      CompletableFuture<Void> syncing =
          CompletableFuture.runAsync(
              () -> {
                mapper.store(0, 1);
                mapper.sync();
              });
      CompletableFuture<Void> drop;
      try {
        assertThat(sent.await(SECONDS, TimeUnit.SECONDS)).isTrue();
        ForgetListener listener = fileSystem.listener();
        drop = CompletableFuture.runAsync(() -> listener.dropPages(inode, 0, Long.MAX_VALUE));
        Thread.sleep(500);
        assertThat(drop).as("the drop, while a page is being saved").isNotDone();
      } finally {
        save.countDown();
      }
      drop.get(SECONDS, TimeUnit.SECONDS);
      assertThat(byteAt(0)).isEqualTo(1);
      syncing.get(SECONDS, TimeUnit.SECONDS);
    }
  }

  /** Without a flag that says otherwise the kernel lets go of the pages itself. */
  @Test
  void openingAFileRefreshesItsMappings() throws Exception {
    try (Mapper mapper = new Mapper(file, BYTES)) {
      mapper.store(0, 5);
      assertThat(mapper.load(8192)).isZero();
      writeElsewhere(8192, 7);
      assertThat(mapper.load(8192)).isZero();
      shell.sh("exec 3< f");
      assertThat(mapper.load(8192)).isEqualTo(7);
      assertThat(byteAt(0)).isEqualTo(5);
    }
  }

  @Test
  void aFileThatTheKernelDoesNotKnow() throws Exception {
    fileSystem.listener().dropPages(new InodeId(4711), 0, Long.MAX_VALUE);
    drop(0, Long.MAX_VALUE);
    assertThat(fileSystem.pageWrites).hasValue(0);
  }

  @Test
  void mappingsReadAheadInSequenceAndSinglePagesWhereTheyAreAskedTo() throws Exception {
    assumeTrue(
        Files.isWritable(
            ReadAhead.setting(MountTable.now().at(directory.toRealPath()).orElseThrow().device())),
        "skipped: /sys/class/bdi is not for us");
    int megabytes = 16;
    shell.sh("truncate -s " + megabytes + "M large; truncate -s 8G sparse");
    String map =
        "import mmap,os,random; m=mmap.mmap(os.open('%s',os.O_RDONLY),0,prot=mmap.PROT_READ);";
    shell.sh(
        "python3 -c \"" + map.formatted("large") + "sum(m[i] for i in range(0,len(m),4096))\"");
    assertThat(fileSystem.pageReads.get()).isBetween(megabytes, 2 * megabytes);
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    shell.sh(
        "python3 -c \""
            + map.formatted("sparse")
            + "m.madvise(mmap.MADV_RANDOM);random.seed("
            + seed
            + ");[m[random.randrange(len(m))] for i in range(300)]\"");
    assertThat(fileSystem.lastPageRead).isEqualTo(4096);
  }

  /** More at once than there are threads to serve requests. */
  @Test
  void whileOthersFaultAndStore() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    List<CompletableFuture<Void>> droppers = new ArrayList<>();
    try (Mapper one = new Mapper(file, BYTES);
        Mapper two = new Mapper(file, BYTES)) {
      for (int i = 0; i < 6; i++) {
        droppers.add(
            CompletableFuture.runAsync(
                () -> {
                  while (!stop.get()) {
                    fileSystem.listener().dropPages(inode, 0, Long.MAX_VALUE);
                  }
                },
                task -> new Thread(task, "dropper").start()));
      }
      for (int i = 0; i < 300; i++) {
        long at = (i % PAGES) * 4096L;
        one.store(at, i & 0x7f);
        assertThat(two.load(at)).isEqualTo(i & 0x7f);
        two.store(at + 1, i & 0x7f);
        assertThat(one.read(at + 1)).isEqualTo(i & 0x7f);
        assertThat(one.load(at)).isEqualTo(i & 0x7f);
      }
      stop.set(true);
      for (CompletableFuture<Void> dropper : droppers) {
        dropper.get(SECONDS, TimeUnit.SECONDS);
      }
    }
  }

  /** While the kernel sets a size it sends no pages: the notice waits for that, not for ever. */
  @Test
  void whileTheSizeIsSet() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    try (Mapper mapper = new Mapper(file, BYTES)) {
      CompletableFuture<Void> dropper =
          CompletableFuture.runAsync(
              () -> {
                while (!stop.get()) {
                  fileSystem.listener().dropPages(inode, 0, Long.MAX_VALUE);
                }
              },
              task -> new Thread(task, "dropper").start());
      CompletableFuture<String> resizer =
          CompletableFuture.supplyAsync(
              () ->
                  shell.sh(
                      "python3 -c \"import os\nfor i in range(1000): os.truncate('f', "
                          + BYTES
                          + " + i % 3 * 4096)\""),
              task -> new Thread(task, "resizer").start());
      for (int i = 0; i < 200; i++) {
        long at = (i % PAGES) * 4096L;
        mapper.store(at, i & 0x7f);
        assertThat(mapper.read(at)).isEqualTo(i & 0x7f);
      }
      assertThat(resizer.get(SECONDS, TimeUnit.SECONDS)).isEmpty();
      stop.set(true);
      dropper.get(SECONDS, TimeUnit.SECONDS);
    }
  }

  /** The pages cannot come back any more, but nobody waits for that for ever. */
  @Test
  void closingEndsWhatWaits() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    try (Mapper mapper = new Mapper(file, BYTES)) {
      mapper.fill(1);
      CompletableFuture<Void> dropper =
          CompletableFuture.runAsync(
              () -> {
                begun.countDown();
                for (int i = 0; i < 1000; i++) {
                  fileSystem.listener().dropPages(inode, 0, Long.MAX_VALUE);
                }
              },
              task -> new Thread(task, "dropper").start());
      begun.await();
      mount.close();
      dropper.get(SECONDS, TimeUnit.SECONDS);
    }
  }
}
