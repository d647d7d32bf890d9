package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.fs.OpenFile;
import io.regionfs.model.Caller;
import io.regionfs.model.InodeId;
import io.regionfs.posix.LibC;
import io.regionfs.posix.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Files of tmpfs that the kernel reads, writes and maps itself. */
class PassThroughIT extends FuseMountFixture {
  private static final int SECONDS = 60;

  /** What new files are made of; to be changed by tests of what the kernel refuses. */
  private volatile boolean refusable;

  private Path file;

  /** Gives the kernel a directory, which it takes from nobody. */
  private static final class Refused extends BackedFile {
    private final int directory = LibC.INSTANCE.open("/", LibC.O_RDONLY | LibC.O_CLOEXEC, 0);

    @Override
    public int descriptor() {
      return directory;
    }

    @Override
    public void free() {
      super.free();
      LibC.INSTANCE.close(directory);
    }
  }

  @Override
  MemoryFileSystem fileSystem() {
    return new MemoryFileSystem() {
      @Override
      FileBytes newFile() {
        return refusable ? new Refused() : new BackedFile();
      }
    };
  }

  @BeforeEach
  void begin() {
    assumeTrue(fileSystem.passThroughUsable, "skipped: no passthrough (Linux 6.9, root)");
    assumeTrue(Shell.has("python3"), "skipped: no python3");
    file = directory.resolve("f");
  }

  @AfterEach
  void theKernelHoldsNoFile() {
    await("released", () -> mount.passedFiles() == 0);
  }

  private static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(deadline);
      LockSupport.parkNanos(5_000_000);
    }
  }

  private InodeId inode() throws IOException {
    return new InodeId((Long) Files.getAttribute(file, "unix:ino"));
  }

  private void assertThatTheDaemonWasNotAsked() {
    assertThat(fileSystem.calls).as("read and write").hasValue(0);
    assertThat(fileSystem.pageReads).as("page faults").hasValue(0);
    assertThat(fileSystem.pageWrites).as("pages written back").hasValue(0);
  }

  @Test
  void readingWritingAndMappingAskNobody() throws Exception {
    shell.sh(
        "head -c 3000000 /dev/urandom > /tmp/$$.rnd; cp /tmp/$$.rnd f; cmp /tmp/$$.rnd f;"
            + " dd if=f of=g bs=1M status=none; cmp f g; dd if=f of=h bs=777 oflag=append"
            + " conv=notrunc status=none; cmp f h; rm /tmp/$$.rnd");
    try (Mapper mapper = new Mapper(file, 3_000_000)) {
      assertThat(mount.passedFiles()).isEqualTo(1);
      mapper.fill(7);
      assertThat(mapper.load(4096)).isEqualTo(7);
      mapper.write(8192, 9);
      assertThat(mapper.load(8192)).isEqualTo(9);
      mapper.store(8193, 10);
      assertThat(mapper.read(8193)).isEqualTo(10);
    }
    assertThatTheDaemonWasNotAsked();
  }

  /** What a mapping holds is the memory that others are given. */
  @Test
  void aMappingIsTheMemoryItself() throws Exception {
    shell.sh("truncate -s 1M f");
    try (Mapper mapper = new Mapper(file, 1 << 20);
        MappedBuffer buffer = new MappedBuffer(4096, () -> {});
        OpenFile here = fileSystem.open(inode(), LibC.O_RDWR, new Caller(0, 0, 0))) {
      mapper.store(5000, 5);
      here.read(5000, 1, buffer, (at, n) -> assertThat(Memory.getByte(at)).isEqualTo((byte) 5));
      Memory.putByte(buffer.address(), (byte) 6);
      here.write(5000, buffer, 0, 1, false);
      assertThat(mapper.load(5000)).isEqualTo(6);
    }
  }

  @Test
  void sizesComeFromTheFileAtOnce() throws Exception {
    shell.sh("printf 0123456789 > f; printf ab >> f");
    assertThat(shell.sh("stat -c %s f; cat f")).isEqualTo("12\n0123456789ab");
    assertThat(shell.sh("exec 3>>f; truncate -s 5 f; printf x >&3; stat -c %s f; cat f"))
        .isEqualTo("6\n01234x");
    shell.sh("exec 3<>f; truncate -s 1M f; fallocate -p -o 0 -l 4096 f; stat -c %s f");
    assertThat(shell.sh("exec 3<f; : > f; stat -c %s f; cat <&3")).isEqualTo("0");
    assertThat(shell.sh("exec 3<>f; fallocate -l 10000 f; stat -c %s f; wc -c < f"))
        .isEqualTo("10000\n10000");
    try (Mapper mapper = new Mapper(file, 8192)) {
      Files.delete(file);
      mapper.store(0, 3);
      assertThat(mapper.read(0)).isEqualTo(3);
    }
    assertThatTheDaemonWasNotAsked();
  }

  /** Reading and writing, and as many programs as like; a mixture would be EIO. */
  @Test
  void manyOpenItAtOnce() {
    shell.sh(
        "echo x > f; for i in 1 2 3 4 5 6; do (for j in {1..60}; do"
            + " cat f > /dev/null || exit 1; echo y >> f || exit 1; : <> f || exit 1;"
            + " done) & p=\"$p $!\"; done; for q in $p; do wait $q || exit 1; done");
    assertThat(shell.sh("wc -l < f")).isEqualTo("361");
    assertThatTheDaemonWasNotAsked();
  }

  /** An answer that was on its way when the file grew must not make it shorter again. */
  @Test
  void aGrowingFileIsNeverSeenShorter() throws Exception {
    Path outside = Files.createTempFile("sizes", ".py");
    Files.writeString(
        outside,
        """
        import os, sys
        f = os.open('f', os.O_RDWR | os.O_CREAT)
        pid = os.fork()
        if pid == 0:
            last = 0
            while last < 4000:
                size = os.stat('f').st_size
                if size < last: os._exit(1)
                last = size
            os._exit(0)
        other = os.open('f', os.O_RDONLY)
        for i in range(4000):
            os.pwrite(f, b'x', i)
            if os.stat('f').st_size != i + 1 or os.lseek(other, 0, os.SEEK_END) != i + 1:
                print('wrong size after', i)
                break
        print(os.waitpid(pid, 0)[1])
        """);
    assertThat(shell.sh("python3 " + outside)).isEqualTo("0");
    Files.delete(outside);
  }

  @Test
  void whatTheKernelRefusesIsServedHere() {
    shell.sh("echo before > g");
    refusable = true;
    assertThat(shell.sh("exec 4< g; echo a > f; cat f; echo b >> f; cat f; cat <&4"))
        .isEqualTo("a\na\nb\nbefore");
    assertThat(fileSystem.passThroughUsable).as("told").isFalse();
    assertThat(fileSystem.calls.get()).isPositive();
    await("g is released, a moment after its last close", () -> mount.passedFiles() == 0);
    assertThat(shell.sh("cat g")).as("from now on here").isEqualTo("before");
  }

  @Test
  void itCanBeLeftOut() throws IOException {
    mount.close();
    try (FuseMount without =
        FuseMount.mount(directory, fileSystem, options().withPassThrough(false))) {
      assertThat(fileSystem.passThroughUsable).isFalse();
      assertThat(shell.sh("echo a > f; cat f")).isEqualTo("a");
      assertThat(without.passedFiles()).isZero();
      assertThat(fileSystem.calls.get()).isPositive();
    }
  }

  /** The mappings stay, whoever serves the rest is gone. */
  @Test
  void mappingsOutliveTheMount() throws Exception {
    shell.sh("truncate -s 1M f");
    try (Mapper mapper = new Mapper(file, 1 << 20)) {
      mapper.store(0, 4);
      mount.close();
      mapper.store(8192, 5);
      assertThat(mapper.load(0)).isEqualTo(4);
      assertThat(mapper.load(8192)).isEqualTo(5);
    }
  }

  @Test
  void beyondTheEndOfAMappedFile() throws Exception {
    shell.sh("truncate -s 8192 f");
    try (Mapper mapper = new Mapper(file, 8192)) {
      mapper.store(5000, 1);
      shell.sh("truncate -s 100 f");
      assertThat(mapper.load(4095)).isZero();
      assertThat(mapper.statusAfter("load 5000")).as("SIGBUS").isEqualTo(128 + 7);
    }
  }
}
