package io.regionfs.fs;

import static io.regionfs.fs.Files.O_RDONLY;
import static io.regionfs.fs.Files.O_RDWR;
import static io.regionfs.fs.Files.O_TRUNC;
import static io.regionfs.fs.Files.O_WRONLY;
import static io.regionfs.fs.Files.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.fs.WatchedMetadata.Trap;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.rpc.local.LocalTransport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** On regions in the heap and a watched service, which fail and are interleaved at will. */
class RegionFileSystemTest extends SharedPagesContract {
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  private final TestService service;
  private final FakeRegions regions = new FakeRegions();
  private final WatchedMetadata watched;
  private final RegionFileSystem one;
  private final RegionFileSystem two;
  private final Files files;

  RegionFileSystemTest() throws IOException {
    service = new TestService(new LocalTransport());
    watched = new WatchedMetadata(service.metadata(1));
    FsOptions options = new FsOptions("by hand", true, Coherence.OPEN, TWIN_BYTES, Lifetime.FILE);
    one = new RegionFileSystem(watched.metadata(), regions, service.id(1), options);
    two = new RegionFileSystem(service.metadata(2), regions, service.id(2), options);
    files = new Files(one);
  }

  @Override
  RegionFileSystem node(int number) {
    return number == 1 ? one : two;
  }

  @Override
  boolean hasRegion(InodeId inode) {
    return regions.has(inode);
  }

  @Override
  void expire(int number) {
    service.rejoin(number);
  }

  @AfterEach
  void nothingIsLeft() {
    one.close();
    two.close();
    service.close();
    assertThat(regions.handles).hasValue(0);
    assertThat(regions.buffers).hasValue(0);
  }

  @Test
  void theServiceCountsANodeOnceHoweverOftenAFileIsOpen() {
    InodeId inode = files.make("a", "text");
    OpenFile reader = files.open(inode, O_RDONLY);
    OpenFile writer = files.open(inode, O_RDWR);
    OpenFile another = files.open(inode, O_WRONLY);
    assertThat(watched.isOpen(inode)).isTrue();
    assertThat(watched.isInSession(inode)).isTrue();
    writer.close();
    writer.close();
    assertThat(watched.isInSession(inode)).isTrue();
    another.close();
    assertThat(watched.isInSession(inode)).isFalse();
    assertThat(watched.isOpen(inode)).isTrue();
    reader.close();
    assertThat(watched.isOpen(inode)).isFalse();
  }

  @Test
  void anOpenDuringTheLastCloseHoldsTheFile() throws Exception {
    InodeId inode = files.make("a", "text");
    OpenFile last = files.open(inode, O_RDONLY);
    AtomicReference<OpenFile> opened = new AtomicReference<>();
    CountDownLatch opening = new CountDownLatch(1);
    Thread opener =
        new Thread(
            () -> {
              opening.countDown();
              opened.set(files.open(inode, O_RDWR));
            },
            "opener");
    watched.trap.set(
        new Trap(
            "close",
            false,
            () -> {
              opener.start();
              await(opening);
              assertThat(opened).hasValue(null);
            }));
    last.close();
    opener.join(DEADLINE.toMillis());
    assertThat(watched.isOpen(inode)).isTrue();
    assertThat(watched.isInSession(inode)).isTrue();
    got(opened).close();
    assertThat(watched.isOpen(inode)).isFalse();
  }

  @Test
  void aFileOpenedAndClosedByAnotherWhileItIsMadeStaysOpen() {
    AtomicReference<InodeId> seen = new AtomicReference<>();
    watched.trap.set(
        new Trap(
            "create",
            true,
            () -> {
              InodeId inode = files.lookup("a").inode();
              files.open(inode, O_RDWR).close();
              assertThat(watched.isOpen(inode)).isFalse();
              seen.set(inode);
            }));
    try (OpenFile file = files.create("a").file()) {
      assertThat(watched.isOpen(got(seen))).isTrue();
      assertThat(watched.isInSession(got(seen))).isTrue();
      files.unlink("a");
      files.write(file, 0, "text");
      assertThat(files.read(file, 0, 10)).isEqualTo("text");
    }
    assertThat(regions.has(got(seen))).isFalse();
  }

  @Test
  void aSessionEndedByAnotherWhileTheFileIsMadeIsBegunAgain() {
    AtomicReference<OpenFile> reader = new AtomicReference<>();
    watched.trap.set(
        new Trap(
            "create",
            true,
            () -> {
              InodeId inode = files.lookup("a").inode();
              reader.set(files.open(inode, O_RDONLY));
              files.open(inode, O_RDWR).close();
            }));
    FileSystem.Created created = files.create("a");
    assertThat(watched.isInSession(created.attributes().inode())).isTrue();
    files.write(created.file(), 0, "text");
    created.file().close();
    got(reader).close();
    assertThat(watched.isOpen(created.attributes().inode())).isFalse();
    assertThat(files.size(created.attributes().inode())).isEqualTo(4);
  }

  @Test
  void anInterruptedOpenIsEndedAtTheServiceLater() {
    InodeId inode = files.make("a", "text");
    failAfter("open", Errno.EINTR);
    assertThat(refusal(() -> files.open(inode, O_RDWR).close())).contains(Errno.EINTR);
    assertThat(watched.isInSession(inode)).isTrue();
    await(() -> !watched.isOpen(inode) && one.openInodes() == 0);
    assertThat(one.attributes(inode).atHome()).isFalse();
  }

  @Test
  void aCloseThatTheServiceDidNotHearIsRepeated() {
    InodeId inode = files.make("a", "text");
    OpenFile file = files.open(inode, O_RDWR);
    files.append(file, "!");
    failBefore("close", Errno.ETIMEDOUT);
    file.close();
    assertThat(watched.isInSession(inode)).isTrue();
    assertThat(files.size(inode)).isEqualTo(5);
    await(() -> !watched.isOpen(inode) && one.openInodes() == 0);
    assertThat(one.attributes(inode).atHome()).isFalse();
    assertThat(files.size(inode)).isEqualTo(5);
  }

  @Test
  void aCloseWhoseAnswerWasLostIsRepeated() {
    InodeId inode = files.make("a", "text");
    for (String call : new String[] {"closeWrite", "close"}) {
      OpenFile file = files.open(inode, O_RDWR);
      OpenFile reader = files.open(inode, O_RDONLY);
      failAfter(call, Errno.ETIMEDOUT);
      file.close();
      reader.close();
      await(() -> !watched.isOpen(inode) && one.openInodes() == 0);
    }
    assertThat(files.content(inode)).isEqualTo("text");
  }

  @Test
  void anOpenAfterAnUnsettledCloseIsCountedAgain() {
    InodeId inode = files.make("a", "text");
    OpenFile file = files.open(inode, O_RDWR);
    failAfter("close", Errno.ETIMEDOUT);
    file.close();
    try (OpenFile again = files.open(inode, O_RDWR)) {
      assertThat(watched.isInSession(inode)).isTrue();
      files.unlink("a");
      assertThat(files.read(again, 0, 10)).isEqualTo("text");
    }
    await(() -> one.openInodes() == 0);
    assertThat(regions.has(inode)).isFalse();
  }

  @Test
  void aCommitThatAnotherOverranIsNotTaken() {
    InodeId inode = files.make("a", "");
    OpenFile first = files.open(inode, O_WRONLY);
    OpenFile second = new Files(two).open(inode, O_WRONLY);
    watched.trap.set(
        new Trap(
            "close",
            false,
            () -> {
              new Files(two).append(second, "late");
              second.close();
            }));
    first.close();
    Attributes committed = service.metadata(2).attributes(inode);
    assertThat(committed.atHome()).isFalse();
    assertThat(committed.size()).isEqualTo(4);
  }

  @Test
  void aLostHomeLeavesTheCommittedAttributesAndIoErrors() {
    InodeId inode = files.make("a", "text");
    OpenFile writer = files.open(inode, O_RDWR);
    files.append(writer, " more");
    regions.lost.add(service.id(1));
    Files away = new Files(two);
    assertThat(away.size(inode)).isEqualTo(4);
    assertThat(files.size(inode)).isEqualTo(4);
    assertThat(two.setAttributes(inode, Files.mode(0600)).mode()).isEqualTo(0600);
    assertThat(refusal(() -> away.content(inode))).contains(Errno.EIO);
    assertThat(refusal(() -> files.write(writer, 0, "x"))).contains(Errno.EIO);
    assertThat(refusal(() -> writer.fsync(false))).contains(Errno.EIO);
    writer.close();
    assertThat(watched.isOpen(inode)).isFalse();
    away.unlink("a");
    assertThat(refusal(() -> away.size(inode))).contains(Errno.ENOENT);
  }

  @Test
  void aFailedTruncationFailsTheOpenAndLeavesNothingOpen() {
    InodeId inode = files.make("a", "text");
    regions.lost.add(service.id(1));
    assertThat(refusal(() -> files.open(inode, O_RDWR | O_TRUNC).close())).contains(Errno.EIO);
    await(() -> !watched.isOpen(inode) && one.openInodes() == 0);
  }

  @Test
  void theFirstWriterMayBeSlowToMakeTheRegion() throws Exception {
    InodeId inode = one.makeFile(InodeId.ROOT, Name.of("a"), 0644, Files.CALLER).inode();
    Files away = new Files(two);
    AtomicReference<Thread> reader = new AtomicReference<>();
    AtomicReference<String> read = new AtomicReference<>();
    watched.trap.set(
        new Trap(
            "open",
            true,
            () -> {
              CountDownLatch started = new CountDownLatch(1);
              Thread thread =
                  new Thread(
                      () -> {
                        try (OpenFile file = away.open(inode, O_RDONLY)) {
                          started.countDown();
                          read.set(away.read(file, 0, 10));
                        }
                      },
                      "reader");
              thread.start();
              reader.set(thread);
              await(started);
            }));
    try (OpenFile file = files.open(inode, O_WRONLY)) {
      got(reader).join(DEADLINE.toMillis());
      assertThat(read.get()).isEmpty();
      files.write(file, 0, "x");
    }
  }

  @Test
  void aFileThatNobodyWroteNeedsNoHome() {
    InodeId inode = one.makeFile(InodeId.ROOT, Name.of("a"), 0644, Files.CALLER).inode();
    regions.lost.add(service.id(1));
    assertThat(files.content(inode)).isEmpty();
    assertThat(files.size(inode)).isZero();
    assertThat(refusal(() -> files.open(inode, O_WRONLY).close())).contains(Errno.EIO);
    await(() -> one.openInodes() == 0);
    assertThat(one.attributes(inode).atHome()).isFalse();
  }

  @Test
  void readingMovesTheAccessTimeOnceClosed() {
    InodeId inode = files.make("a", "text");
    var before = one.attributes(inode).atime();
    try (OpenFile file = files.open(inode, O_RDONLY | OpenFlags.O_NOATIME)) {
      files.read(file, 0, 4);
    }
    assertThat(one.attributes(inode).atime()).isEqualTo(before);
    files.content(inode);
    assertThat(one.attributes(inode).atime()).isAfter(before);
  }

  @Test
  void madeUpAttributesAreReadOnlyAndUnlisted() {
    InodeId inode = files.make("a", "text");
    assertThat(one.xattr(inode, bytes("regionfs.fabric")))
        .isEqualTo(bytes("local; other hosts by by hand"));
    assertThat(two.xattr(inode, bytes("regionfs.fabric")))
        .asString(StandardCharsets.UTF_8)
        .startsWith("by hand; home node1: ");
    assertThat(one.xattr(InodeId.ROOT, bytes("user.regionfs.fabric"))).isEqualTo(bytes("by hand"));
    assertThat(two.xattr(inode, bytes("user.regionfs.home"))).isEqualTo(bytes("node1"));
    assertThat(refusal(() -> one.xattr(InodeId.ROOT, bytes("user.regionfs.home"))))
        .contains(Errno.ENODATA);
    assertThat(
            refusal(
                () ->
                    one.setXattr(inode, bytes("user.regionfs.home"), new byte[1], 0, Files.CALLER)))
        .contains(Errno.EPERM);
    assertThat(refusal(() -> one.xattr(inode, bytes("system.posix_acl_access"))))
        .contains(Errno.ENODATA);
    assertThat(
            refusal(() -> one.setXattr(inode, bytes("system.other"), new byte[1], 0, Files.CALLER)))
        .contains(Errno.EOPNOTSUPP);
    assertThat(one.xattrNames(inode)).isEmpty();
  }

  @Test
  void spaceIsWhatTheServiceSays() {
    assertThat(one.statFs()).isEqualTo(new FileSystem.StatFs(2000, 1200, 1));
  }

  private void failBefore(String call, Errno errno) {
    watched.trap.set(new Trap(call, false, () -> fail(errno)));
  }

  private void failAfter(String call, Errno errno) {
    watched.trap.set(new Trap(call, true, () -> fail(errno)));
  }

  private static void fail(Errno errno) {
    throw new FsException(errno, "by the test");
  }

  private static <T> T got(AtomicReference<T> reference) {
    return Objects.requireNonNull(reference.get());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(DEADLINE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + DEADLINE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("deadline").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }
}
