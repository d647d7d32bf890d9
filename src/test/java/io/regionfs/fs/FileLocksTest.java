package io.regionfs.fs;

import static io.regionfs.fs.Files.O_RDWR;
import static io.regionfs.fs.Files.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.fs.FileSystem.ForgetListener;
import io.regionfs.fs.LockRequest.Kind;
import io.regionfs.model.Errno;
import io.regionfs.model.InodeId;
import io.regionfs.rpc.local.LocalTransport;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Locks of open files on two nodes. */
class FileLocksTest {
  private static final long END = Long.MAX_VALUE;
  private static final long DEADLINE_SECONDS = 60;

  private final TestService service;
  private final RegionFileSystem one;
  private final RegionFileSystem two;
  private final Files files;
  private final InodeId inode;
  private final List<String> refreshed = new ArrayList<>();
  private OpenFile here;
  private OpenFile there;

  FileLocksTest() throws IOException {
    service = new TestService(new LocalTransport());
    FakeRegions regions = new FakeRegions();
    FsOptions options = new FsOptions("by hand", true);
    one = new RegionFileSystem(service.metadata(1), regions, service.id(1), options);
    two = new RegionFileSystem(service.metadata(2), regions, service.id(2), options);
    files = new Files(one);
    inode = files.make("a", "text");
  }

  @BeforeEach
  void open() {
    here = one.open(inode, O_RDWR, Files.CALLER);
    there = two.open(inode, O_RDWR, Files.CALLER);
  }

  @AfterEach
  void close() {
    here.close();
    there.close();
    one.close();
    two.close();
    service.close();
  }

  private static LockRequest posix(long owner, Kind kind, long first, long last) {
    return new LockRequest(owner, false, kind, first, last, 1);
  }

  private static LockRequest flock(long owner, Kind kind) {
    return new LockRequest(owner, true, kind, 0, END, 1);
  }

  private boolean isFree() {
    return there.conflicting(posix(77, Kind.EXCLUSIVE, 0, END)) == null
        && there.conflicting(flock(77, Kind.EXCLUSIVE)) == null;
  }

  @Test
  void aLockStandsAgainstTheOtherNode() {
    here.lock(posix(1, Kind.EXCLUSIVE, 0, 9), false);
    assertThat(refusal(() -> there.lock(posix(1, Kind.SHARED, 5, 5), false)))
        .contains(Errno.EAGAIN);
    there.lock(posix(1, Kind.SHARED, 10, 19), false);
    here.lock(posix(1, Kind.UNLOCK, 0, END), false);
    there.lock(posix(1, Kind.EXCLUSIVE, 0, END), false);
    assertThat(here.conflicting(posix(1, Kind.SHARED, 3, 4)))
        .isEqualTo(new LockRequest(1, false, Kind.EXCLUSIVE, 0, END, 0));
  }

  /** As POSIX has it: whichever descriptor of the file the process closes. */
  @Test
  void aCloseEndsThePosixLocksOfItsOwnerAlone() {
    OpenFile another = one.open(inode, O_RDWR, Files.CALLER);
    here.lock(posix(1, Kind.EXCLUSIVE, 0, 9), false);
    here.lock(posix(2, Kind.EXCLUSIVE, 20, 29), false);
    here.lock(flock(3, Kind.SHARED), false);
    another.flush(9);
    assertThat(there.conflicting(posix(7, Kind.SHARED, 0, 0))).isNotNull();
    another.flush(1);
    assertThat(there.conflicting(posix(7, Kind.SHARED, 0, 0))).isNull();
    assertThat(there.conflicting(posix(7, Kind.SHARED, 20, 20))).isNotNull();
    another.close();
    assertThat(there.conflicting(flock(7, Kind.EXCLUSIVE))).isNotNull();
    here.flush(2);
    here.close();
    assertThat(isFree()).isTrue();
  }

  /** The node has the file open still. */
  @Test
  void theLastCloseOfADescriptionEndsWhatItLocked() {
    OpenFile another = one.open(inode, O_RDWR, Files.CALLER);
    another.lock(flock(5, Kind.EXCLUSIVE), false);
    another.lock(posix(6, Kind.EXCLUSIVE, 3, 4), false);
    assertThat(isFree()).isFalse();
    another.close();
    assertThat(isFree()).isTrue();
  }

  @Test
  void aFlockChangesItsKind() {
    here.lock(flock(1, Kind.SHARED), false);
    there.lock(flock(1, Kind.SHARED), false);
    assertThat(refusal(() -> here.lock(flock(1, Kind.EXCLUSIVE), false))).contains(Errno.EAGAIN);
    there.lock(flock(1, Kind.EXCLUSIVE), false);
    assertThat(refusal(() -> here.lock(flock(1, Kind.SHARED), false))).contains(Errno.EAGAIN);
    there.lock(flock(1, Kind.UNLOCK), false);
    here.lock(flock(1, Kind.SHARED), false);
  }

  @Test
  void aWaiterGetsItsLock() throws Exception {
    here.lock(posix(1, Kind.EXCLUSIVE, 0, 9), false);
    CompletableFuture<Void> waiting =
        CompletableFuture.runAsync(() -> there.lock(posix(1, Kind.EXCLUSIVE, 0, 9), true));
    here.lock(posix(1, Kind.UNLOCK, 0, 9), false);
    waiting.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    assertThat(here.conflicting(posix(1, Kind.SHARED, 0, 0))).isNotNull();
  }

  /** Whoever believes to hold a lock that is gone must not go on as if it had it. */
  @Test
  void aLockThatWasLostWithTheLeaseIsNoticed() {
    OpenFile innocent = one.open(inode, O_RDWR, Files.CALLER);
    here.lock(posix(1, Kind.EXCLUSIVE, 0, 9), false);
    here.lock(posix(1, Kind.EXCLUSIVE, 20, 29), false);
    service.rejoin(1);
    one.reopenAll();
    there.lock(posix(1, Kind.EXCLUSIVE, 0, 9), false);
    assertThat(refusal(() -> here.fsync(false))).contains(Errno.EIO);
    assertThat(refusal(() -> here.lock(posix(1, Kind.SHARED, 50, 59), false))).contains(Errno.EIO);
    assertThat(refusal(() -> innocent.lock(posix(1, Kind.SHARED, 50, 59), false)))
        .contains(Errno.EIO);
    innocent.fsync(false);
    innocent.lock(posix(2, Kind.SHARED, 50, 59), false);
    here.lock(posix(1, Kind.UNLOCK, 0, 9), false);
    assertThat(refusal(() -> here.fsync(false))).contains(Errno.EIO);
    here.lock(posix(1, Kind.UNLOCK, 0, END), false);
    here.fsync(false);
    here.lock(posix(1, Kind.SHARED, 50, 59), false);
    assertThat(here.conflicting(posix(1, Kind.SHARED, 0, 0))).isNotNull();
    innocent.close();
  }

  /** Under a lock a mapping shows what was written under earlier ones. */
  @Test
  void pagesAreRefreshedWhereLocksBeginAndEnd() {
    one.onForget(
        new ForgetListener() {
          @Override
          public void forget(InodeId forgotten) {}

          @Override
          public void forgetAll() {}

          @Override
          public void dropPages(InodeId dropped, long offset, long length) {
            assertThat(offset).isZero();
            assertThat(length).isEqualTo(END);
            refreshed.add(isFree() ? "free" : "held");
          }
        });
    here.lock(posix(1, Kind.EXCLUSIVE, 10, 19), false);
    assertThat(refreshed).containsExactly("held");
    here.lock(posix(1, Kind.UNLOCK, 0, END), false);
    here.lock(posix(1, Kind.UNLOCK, 0, END), false);
    assertThat(refreshed).containsExactly("held", "held");
  }
}
