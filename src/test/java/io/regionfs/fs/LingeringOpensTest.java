package io.regionfs.fs;

import static io.regionfs.fs.Files.O_RDONLY;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.fs.WatchedMetadata.Trap;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.rpc.local.LocalTransport;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Opens that the service is told the end of later, on a service that is watched. */
class LingeringOpensTest {
  private static final Duration LONG = Duration.ofHours(1);
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  private final TestService service;
  private final FakeRegions regions = new FakeRegions();
  private final WatchedMetadata watched;
  private final RegionFileSystem other;
  private final Files files;
  private final InodeId inode;
  private final PageKeeper keeper = new PageKeeper(1 << 20);
  private @Nullable OpenInodes opens;

  LingeringOpensTest() throws IOException {
    service = new TestService(new LocalTransport());
    watched = new WatchedMetadata(service.metadata(1));
    watched.leasedNanos = LONG.toNanos();
    other =
        new RegionFileSystem(
            service.metadata(2), regions, service.id(2), new FsOptions("by hand", true));
    files = new Files(other);
    inode = files.make("a", "text");
  }

  @AfterEach
  void nothingIsLeft() {
    if (opens != null) {
      opens.close();
      assertThat(opens.size()).isZero();
    }
    assertThat(watched.isOpen(inode)).isFalse();
    keeper.close();
    other.close();
    service.close();
    assertThat(regions.handles).hasValue(0);
  }

  private OpenInodes lingering(Duration time, int most) {
    OpenInodes made =
        new OpenInodes(
            watched.metadata(),
            regions,
            new PassPolicy(service.id(1), true),
            keeper,
            new LingeringOpens(watched.metadata(), time, most));
    opens = made;
    return made;
  }

  private static void read(OpenInodes opens, InodeId inode) {
    try (var hold = opens.open(inode, false)) {
      assertThat(hold.inode().regionIfWritten()).isNotNull();
      hold.inode().markRead();
    }
  }

  private void noCallsOf(String name) {
    watched.trap.set(
        new Trap(
            name,
            false,
            () -> {
              throw new AssertionError("a call of " + name);
            }));
  }

  @Test
  void openingAgainSoonCostsNoCall() {
    OpenInodes opens = lingering(LONG, 10);
    read(opens, inode);
    assertThat(watched.isOpen(inode)).isTrue();
    noCallsOf("open");
    read(opens, inode);
    read(opens, inode);
    watched.trap.set(null);
    try (var hold = opens.open(inode, true)) {
      assertThat(hold.inode().id()).isEqualTo(inode);
      assertThat(watched.isInSession(inode)).isTrue();
    }
    assertThat(watched.isOpen(inode)).as("written").isFalse();
    assertThat(opens.size()).isZero();
  }

  @Test
  void itEndsByItselfAndTellsWhenItWasRead() {
    Instant before = files.lookup("a").atime();
    read(lingering(Duration.ofMillis(1), 10), inode);
    await(() -> !watched.isOpen(inode) && opens != null && opens.size() == 0);
    assertThat(files.lookup("a").atime()).isAfter(before);
    assertThat(regions.handles).hasValue(0);
  }

  @Test
  void whatIsForgottenIsClosedAtOnce() {
    OpenInodes opens = lingering(LONG, 10);
    InodeId second = files.make("b", "text");
    read(opens, inode);
    read(opens, second);
    files.unlink("a");
    assertThat(regions.has(inode)).isTrue();
    opens.forget(inode);
    await(() -> !watched.isOpen(inode) && !regions.has(inode));
    assertThat(watched.isOpen(second)).isTrue();
    opens.forgetAll();
    await(() -> !watched.isOpen(second) && opens.size() == 0);
  }

  @Test
  void manyAreClosedByOneCall() {
    OpenInodes opens = lingering(LONG, 10);
    InodeId second = files.make("b", "text");
    read(opens, inode);
    read(opens, second);
    files.unlink("a");
    noCallsOf("close");
    opens.forgetAll();
    await(() -> opens.size() == 0);
    watched.trap.set(null);
    assertThat(watched.isOpen(inode) || watched.isOpen(second)).isFalse();
    assertThat(regions.has(inode)).isFalse();
    assertThat(regions.handles).hasValue(0);
  }

  @Test
  void whatCannotBeClosedTogetherIsClosedOneByOne() {
    OpenInodes opens = lingering(LONG, 10);
    InodeId second = files.make("b", "text");
    read(opens, inode);
    read(opens, second);
    watched.trap.set(
        new Trap(
            "closeAll",
            true,
            () -> {
              throw new FsException(Errno.ETIMEDOUT, "by the test");
            }));
    opens.forgetAll();
    await(() -> opens.size() == 0);
    assertThat(watched.trap).hasValue(null);
    assertThat(watched.isOpen(inode) || watched.isOpen(second)).isFalse();
  }

  @Test
  void withoutALeaseNothingLingers() {
    watched.leasedNanos = 0;
    OpenInodes opens = lingering(LONG, 10);
    read(opens, inode);
    assertThat(watched.isOpen(inode)).isFalse();
  }

  @Test
  void afterALeaseEndedTheServiceIsAskedAgain() {
    OpenInodes opens = lingering(LONG, 10);
    read(opens, inode);
    watched.leasedNanos = 0;
    service.rejoin(1);
    watched.forget();
    try (var hold = opens.open(inode, false)) {
      assertThat(watched.isOpen(inode)).isTrue();
      files.unlink("a");
      assertThat(hold.inode().regionIfWritten()).isNotNull();
      assertThat(regions.has(inode)).isTrue();
    }
    assertThat(regions.has(inode)).isFalse();
  }

  @Test
  void whatIsTooMuchIsClosedAtOnce() {
    OpenInodes opens = lingering(LONG, 1);
    InodeId second = files.make("b", "text");
    read(opens, inode);
    read(opens, second);
    assertThat(watched.isOpen(inode)).isTrue();
    assertThat(watched.isOpen(second)).isFalse();
  }

  @Test
  void aSecondOpenHoldsWhatWasAboutToEnd() {
    OpenInodes opens = lingering(LONG, 10);
    read(opens, inode);
    try (var hold = opens.open(inode, false)) {
      opens.forget(inode);
      opens.forgetAll();
      assertThat(hold.inode().id()).isEqualTo(inode);
      assertThat(watched.isOpen(inode)).isTrue();
    }
    try (OpenFile elsewhere = files.open(inode, O_RDONLY)) {
      assertThat(files.read(elsewhere, 0, 10)).isEqualTo("text");
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
