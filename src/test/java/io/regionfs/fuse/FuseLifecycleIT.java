package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.fs.OpenFile;
import io.regionfs.model.Attributes;
import io.regionfs.model.Caller;
import io.regionfs.model.Errno;
import io.regionfs.model.FsException;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.posix.MountTable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** How mounts begin and end, and what happens to operations that block. */
class FuseLifecycleIT extends FuseMountFixture {
  private static final int SECONDS = 60;

  /** Opening a file that exists blocks until it is interrupted or the gate opens. */
  private static final class Blocking extends MemoryFileSystem {
    final CountDownLatch gate = new CountDownLatch(1);
    final AtomicInteger blocked = new AtomicInteger();
    volatile boolean hideNext;

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // the lock would block everybody
    public OpenFile open(InodeId id, int flags, Caller caller) {
      if (super.attributes(id).mode() != 0600) {
        return super.open(id, flags, caller);
      }
      blocked.incrementAndGet();
      try {
        gate.await();
        return super.open(id, flags, caller);
      } catch (InterruptedException e) {
        throw new FsException(Errno.EINTR, "interrupted", e);
      } finally {
        blocked.decrementAndGet();
      }
    }

    @Override
    public synchronized Attributes lookup(InodeId parent, Name name) {
      if (hideNext && name.toString().equals("hidden")) {
        hideNext = false;
        throw new FsException(Errno.ENOENT, "not yet");
      }
      return super.lookup(parent, name);
    }
  }

  @Override
  MemoryFileSystem fileSystem() {
    return new Blocking();
  }

  @Override
  FuseOptions options() {
    return FuseOptions.defaults().withMaxThreads(2);
  }

  /** After seven at once were busy. */
  int fewThreads() {
    return 5;
  }

  private Blocking blocking() {
    return (Blocking) fileSystem;
  }

  private List<Process> startBlockedReaders(int count) throws IOException {
    shell.sh("echo x > blocks; chmod 600 blocks");
    List<Process> readers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      readers.add(shell.start("exec cat blocks"));
    }
    return readers;
  }

  private void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(deadline);
      LockSupport.parkNanos(5_000_000);
    }
  }

  @Test
  void killingABlockedProcessEndsIt() throws Exception {
    Process reader = startBlockedReaders(1).get(0);
    await("blocked", () -> blocking().blocked.get() == 1);
    reader.destroyForcibly();
    assertThat(reader.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
    await("interrupted", () -> blocking().blocked.get() == 0);
    assertThat(shell.sh("echo y > b; cat b")).isEqualTo("y");
  }

  @Test
  void moreBlockedOperationsThanThreadsStopNobodyElse() throws Exception {
    List<Process> readers = startBlockedReaders(7);
    await("all blocked", () -> blocking().blocked.get() == 7);
    assertThat(shell.sh("echo y > b; cat b; ls")).isEqualTo("y\nb\nblocks");
    for (Process reader : readers) {
      reader.destroy(); // SIGTERM is a signal like any other
      assertThat(reader.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
    }
    await("all interrupted", () -> blocking().blocked.get() == 0);
    await(
        "surplus threads end",
        () -> {
          shell.sh("stat -f . . . . . . . > /dev/null");
          return mount.threads() <= fewThreads();
        });
  }

  @Test
  @SuppressWarnings("MustBeClosedChecker") // nothingIsLeft closes it
  void hundredsOfBlockedOperationsStopNobodyElse() throws Exception {
    mount.close();
    mount = FuseMount.mount(directory, fileSystem, options().withMaxThreads(256));
    shell.sh("echo x > blocks; chmod 600 blocks");
    List<Thread> readers = new ArrayList<>();
    AtomicInteger read = new AtomicInteger();
    for (int i = 0; i < 200; i++) {
      Thread reader = new Thread(() -> readFirstByte(read));
      reader.start();
      readers.add(reader);
    }
    await("all blocked", () -> blocking().blocked.get() == 200);
    assertThat(shell.sh("echo y > b; cat b; ls")).isEqualTo("y\nb\nblocks");
    blocking().gate.countDown();
    for (Thread reader : readers) {
      reader.join(TimeUnit.SECONDS.toMillis(SECONDS));
    }
    assertThat(read).hasValue(200);
  }

  private void readFirstByte(AtomicInteger read) {
    try (InputStream file = Files.newInputStream(directory.resolve("blocks"))) {
      if (file.read() == 'x') {
        read.incrementAndGet();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void unmountingFromOutsideEndsIt() throws Exception {
    shell.sh("echo a > a");
    new Shell(Path.of("/")).sh("fusermount -u " + directory);
    mount.ended().get(SECONDS, TimeUnit.SECONDS);
    mount.awaitEnd();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void closingWhileInUseEndsWhatBlocks() throws Exception {
    Process reader = startBlockedReaders(1).get(0);
    Process holder = shell.start("exec 3> held; echo ready; read -r x; echo more >&3");
    assertThat(holder.getInputStream().read()).isEqualTo('r');
    await("blocked", () -> blocking().blocked.get() == 1);
    mount.close();
    mount.close();
    assertThat(reader.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(reader.exitValue()).isNotZero();
    holder.getOutputStream().write('\n');
    holder.getOutputStream().flush();
    assertThat(holder.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(holder.exitValue()).isNotZero();
  }

  @Test
  void aNameMadeElsewhereMeanwhileIsOpenedAfterASecondLook() {
    shell.sh("echo there > hidden");
    blocking().hideNext = true;
    assertThat(shell.sh("echo more >> hidden; cat hidden")).isEqualTo("there\nmore");
    blocking().hideNext = true;
    assertThat(shell.run("set -C; echo x > hidden").output()).contains("existing file");
  }

  @Test
  void aDeadMountIsHealed() throws Exception {
    mount.close();
    FuseSession.mount(directory.toRealPath(), options())
        .close(); // closes /dev/fuse, as the end of a process does
    assertThat(MountTable.now().at(directory.toRealPath())).isPresent();
    assertThatThrownBy(() -> Files.list(directory)).hasMessageContaining("not connected");
    try (FuseMount again = FuseMount.mount(directory, fileSystem, options())) {
      assertThat(shell.sh("echo a > a; cat a")).isEqualTo("a");
      assertThat(StaleMounts.heal(directory)).isFalse();
      assertThat(again.mountPoint()).isEqualTo(directory.toRealPath());
    }
    assertThat(StaleMounts.heal(directory)).isFalse();
  }

  @Test
  void whatCannotBeMountedOnIsRefusedPlainly() throws Exception {
    assertRefused(directory, "already mounted");
    mount.close();
    assertRefused(directory.resolve("none"), "no such directory");
    assertRefused(directory.resolve("none/none"), "no such directory");
    Path file = Files.createFile(directory.resolve("file"));
    assertRefused(file, "not a directory");
    assertRefused(directory, "not empty");
    FuseOptions over = options().withNonEmpty(true).withMountOptions(List.of("ro"));
    try (FuseMount readOnly = FuseMount.mount(directory, fileSystem, over)) {
      assertThat(readOnly.threads()).isPositive();
      assertThat(shell.run("cd " + directory + "; touch x").output()).contains("Read-only");
    }
    Files.delete(file);
  }

  @SuppressWarnings("MustBeClosedChecker") // it is not opened
  private void assertRefused(Path where, String reason) {
    assertThatThrownBy(() -> FuseMount.mount(where, fileSystem, options()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(reason);
  }
}
