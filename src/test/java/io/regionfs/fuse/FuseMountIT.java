package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.model.Caller;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A real mount of a filesystem in memory, used by java.nio and by shell commands. */
class FuseMountIT extends FuseMountFixture {
  @Test
  void bytesComeBack() throws IOException {
    shell.sh("echo hello > a");
    assertThat(Files.readString(directory.resolve("a"))).isEqualTo("hello\n");
    assertThat(shell.sh("stat -c '%s %F %a %h' a")).isEqualTo("6 regular file 644 1");
  }

  @Test
  void largeFilesInAnyBlockSize() {
    shell.sh(
        "head -c 5000000 /dev/urandom > /tmp/$$.rnd; cp /tmp/$$.rnd a; dd if=/tmp/$$.rnd of=b"
            + " bs=3333 status=none; dd if=/tmp/$$.rnd of=c bs=1M oflag=direct conv=fsync status=none;"
            + " dd if=c of=d iflag=direct bs=1M status=none; dd if=d of=e bs=777 status=none;"
            + " rc=0; for f in a b c d e; do cmp /tmp/$$.rnd $f || rc=1; done; rm /tmp/$$.rnd; exit $rc");
  }

  @Test
  void positionedReadsAndWrites() throws IOException {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    byte[] expected = new byte[3_000_000];
    Path file = directory.resolve("random");
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[1]), expected.length - 1);
      for (int i = 0; i < 100; i++) {
        byte[] piece = new byte[random.nextInt(200_000)];
        random.nextBytes(piece);
        int at = random.nextInt(expected.length - piece.length);
        System.arraycopy(piece, 0, expected, at, piece.length);
        channel.write(ByteBuffer.wrap(piece), at);
      }
      ByteBuffer all = ByteBuffer.allocate(expected.length + 10);
      assertThat(channel.read(all, 0)).isEqualTo(expected.length);
      assertThat(Arrays.copyOf(all.array(), expected.length)).isEqualTo(expected);
      assertThat(channel.read(ByteBuffer.allocate(10), expected.length + 5L)).isEqualTo(-1);
    }
  }

  @Test
  void directoriesLinksAndRenames() {
    shell.sh("mkdir -p d/e/f && echo 1 > d/x && ln d/x d/y && ln -s x d/s");
    assertThat(shell.sh("stat -c %h d/x; readlink d/s; cat d/s; stat -c %h d"))
        .isEqualTo("2\nx\n1\n3");
    shell.sh("echo 2 > d/z && mv d/z d/x && mv d/e g && ls g");
    assertThat(shell.sh("cat d/x d/y; ls -A . g")).isEqualTo("2\n1\n.:\nd\ng\n\ng:\nf");
    assertThat(shell.run("rmdir g").output()).contains("Directory not empty");
    assertThat(shell.run("mkdir d").output()).contains("File exists");
    assertThat(shell.run("mv -T d/x g").output()).contains("cannot overwrite directory");
    assertThat(shell.run("cat nothing").output()).contains("No such file");
    assertThat(shell.run("touch $(printf 'x%.0s' {1..256})").output()).contains("name too long");
    assertThat(shell.run("mkfifo p").output()).contains("not permitted");
    shell.sh("rm -r d g");
    assertThat(shell.sh("ls -A")).isEmpty();
  }

  @Test
  void modesOwnersAndTimes() throws IOException {
    shell.sh("umask 027; echo x > a; mkdir d; chown 12:34 a; chmod 4751 d");
    assertThat(shell.sh("stat -c '%a %u:%g' a; stat -c '%a' d")).isEqualTo("640 12:34\n4751");
    shell.sh("touch -d '2001-02-03 04:05:06.123456789 UTC' a");
    assertThat(Files.getLastModifiedTime(directory.resolve("a")).toInstant())
        .isEqualTo(Instant.parse("2001-02-03T04:05:06.123456789Z"));
    assertThat(shell.sh("stat -c %X-%Y a")).isEqualTo("981173106-981173106");
    shell.sh("touch -a a; touch -m -d @-5.5 d");
    assertThat(shell.sh("stat -c %Y a d")).isEqualTo("981173106\n-6");
    Instant born = Instant.ofEpochSecond(Long.parseLong(shell.sh("stat -c %W a")));
    assertThat(born).isAfter(Instant.now().minusSeconds(600));
  }

  @Test
  void theKernelChecksPermissions() {
    assumeTrue(Shell.has("setpriv"), "skipped: no setpriv");
    shell.sh("chmod 755 .; echo secret > a; chmod 600 a; mkdir d; chmod 700 d");
    String nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups ";
    assertThat(shell.run("chmod 755 .; " + nobody + "cat a").output())
        .contains("Permission denied");
    assertThat(shell.run(nobody + "touch d/x").output()).contains("Permission denied");
    assertThat(shell.run(nobody + "rm -f a").output()).contains("Permission denied");
  }

  @Test
  void truncationAndHoles() {
    shell.sh("head -c 3000000 /dev/zero | tr '\\0' x > a; truncate -s 1000000 a; truncate -s 2M a");
    assertThat(shell.sh("stat -c %s a; tr -d '\\0' < a | wc -c")).isEqualTo("2097152\n1000000");
    shell.sh("fallocate -p -o 4096 -l 8192 a");
    assertThat(shell.sh("stat -c %s a; tr -d '\\0' < a | wc -c")).isEqualTo("2097152\n991808");
    shell.sh("fallocate -l 1M b; fallocate -n -o 1M -l 1M b; fallocate -z -o 0 -l 2000000 b");
    assertThat(shell.sh("stat -c '%s' b")).isEqualTo("2000000");
    assertThat(shell.run("fallocate -c -o 0 -l 4096 b").output()).contains("not supported");
    shell.sh("truncate -s 1T huge; echo x > c; echo y >> c; : > c");
    assertThat(shell.sh("stat -c '%s %b' huge c")).isEqualTo("1099511627776 0\n0 0");
  }

  @Test
  void seekingForDataAndHoles() throws IOException {
    Path file = directory.resolve("sparse");
    Files.write(file, new byte[] {1});
    int fd = LibC.INSTANCE.open(file.toString(), LibC.O_RDWR, 0);
    try {
      assertThat(LibC.INSTANCE.ftruncate(fd, 3 << 20)).isZero();
      shell.sh("printf x | dd of=sparse bs=1 seek=2097152 conv=notrunc status=none");
      assertThat(LibC.INSTANCE.lseek(fd, 0, LibC.SEEK_HOLE)).isEqualTo(4096);
      assertThat(LibC.INSTANCE.lseek(fd, 4096, LibC.SEEK_DATA)).isEqualTo(2 << 20);
      assertThat(LibC.INSTANCE.lseek(fd, 3 << 20, LibC.SEEK_DATA)).isEqualTo(-1);
      assertThat(LibC.INSTANCE.lseek(fd, 0, 2)).isEqualTo(3 << 20);
    } finally {
      LibC.INSTANCE.close(fd);
    }
  }

  @Test
  void appendersTearNoLine() {
    shell.sh(
        "for i in 1 2 3 4; do (for j in {1..200}; do echo line-$i-$j >> log; done) & done; wait");
    assertThat(shell.sh("wc -l < log; sort -u log | grep -c '^line-[1-4]-[0-9]*$'"))
        .isEqualTo("800\n800");
  }

  @Test
  void anUnlinkedFileLivesUntilItsLastClose() throws InterruptedException {
    assertThat(shell.sh("exec 3<>a; echo one >&3; rm a; echo two >&3; cat /proc/self/fd/3; ls -A"))
        .isEqualTo("one\ntwo");
    // The kernel tells of the last close after close(2) has returned.
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (fileSystem.statFs().inodes() > 1 && System.nanoTime() < deadline) {
      Thread.sleep(5);
    }
    assertThat(fileSystem.statFs().inodes()).isEqualTo(1);
  }

  @Test
  void aTreeIsCopiedExactly() throws IOException {
    Path source = Files.createTempDirectory("tree");
    Shell outside = new Shell(source);
    outside.sh(
        "for d in {1..20}; do mkdir d$d; for f in {1..20}; do echo $d-$f > d$d/$f; done;"
            + " chmod 640 d$d/1; ln d$d/2 d$d/hard; ln -s ../d1/3 d$d/soft; done;"
            + " head -c 3000000 /dev/urandom > large");
    shell.sh("cp -a " + source + " tree && diff -r " + source + " tree");
    shell.sh("tar cf t.tar tree && mkdir u && tar xf t.tar -C u && diff -r tree u/tree");
    String list = "find . -mindepth 1 -printf '%P %y %m %s %n %l %T@\\n' | grep -v ' d ' | sort";
    assertThat(new Shell(directory.resolve("tree")).sh(list)).isEqualTo(outside.sh(list));
    new Shell(Path.of("/")).sh("rm -r " + source);
    shell.sh("rm -rf tree u t.tar");
    assertThat(shell.sh("ls -A")).isEmpty();
  }

  @Test
  void tenThousandEntriesAreListedAndRemoved() {
    shell.sh("mkdir d; cd d; for i in {1..10000}; do : > file-$i; done");
    assertThat(shell.sh("ls d | wc -l; ls -f d | sort -u | wc -l")).isEqualTo("10000\n10002");
    shell.sh("rm -rf d");
    assertThat(shell.sh("ls -A")).isEmpty();
  }

  @Test
  void entriesMadeAndRemovedMeanwhileHideNoOthers() throws IOException {
    Path d = Files.createDirectory(directory.resolve("d"));
    for (int i = 0; i < 3000; i++) {
      fileSystem.makeFile(
          new InodeId((Long) Files.getAttribute(d, "unix:ino")),
          Name.of("entry-with-a-rather-long-name-" + i),
          0644,
          new Caller(0, 0, 0));
    }
    try (Stream<Path> names = Files.list(d)) {
      long seen =
          names
              .peek(
                  path -> {
                    if (path.toString().endsWith("7")) {
                      path.toFile().delete();
                    }
                  })
              .count();
      assertThat(seen).isEqualTo(3000);
    }
    assertThat(shell.sh("ls d | wc -l")).isEqualTo("2700");
  }

  @Test
  void extendedAttributes() {
    assumeTrue(Shell.has("setfattr"), "skipped: no setfattr");
    shell.sh("touch a; setfattr -n user.colour -v red a; setfattr -n user.empty a");
    assertThat(shell.sh("getfattr --only-values -n user.colour a")).isEqualTo("red");
    assertThat(shell.sh("getfattr -d a")).contains("user.colour=\"red\"", "user.empty");
    shell.sh("setfattr -x user.colour a");
    assertThat(shell.run("getfattr -n user.colour a").output()).contains("No such attribute");
  }

  @Test
  void mappedFilesAreSharedAndWritten() {
    assumeTrue(Shell.has("python3"), "skipped: no python3");
    shell.sh("head -c 300000 /dev/zero | tr '\\0' a > m; : > log");
    String program =
        """
        import mmap,os
        f=open('m','r+b'); m=mmap.mmap(f.fileno(),0)
        assert m[299999:]==b'a' and m[:3]==b'aaa'
        m[4095:4098]=b'XYZ'; m.flush()
        assert os.pread(f.fileno(),3,4095)==b'XYZ'
        os.pwrite(f.fileno(),b'Q',200000)
        assert m[200000:200001]==b'Q'
        m[299999:]=b'E'; m.close(); f.close()
        a=open('log','a+b'); a.write(b'0'*5000); a.flush()
        n=mmap.mmap(a.fileno(),0); n[0:1]=b'1'; n.close(); a.close()
        assert os.stat('log').st_size==5000 and open('log','rb').read(2)==b'10'
        """;
    Shell.Result result =
        shell.run(
            "cat > /tmp/$$.py <<'P'\n"
                + program
                + "P\npython3 /tmp/$$.py;"
                + " rc=$?; rm /tmp/$$.py; exit $rc");
    assumeTrue(!result.output().contains("No such device"), "skipped: Linux before 6.6");
    assertThat(result.output()).isEmpty();
    assertThat(result.status()).isZero();
    assertThat(shell.sh("tail -c 1 m; head -c 4098 m | tail -c 3")).isEqualTo("EXYZ");
  }

  @Test
  void freeSpaceIsTold() {
    assertThat(shell.sh("stat -f -c '%b %S %l' .")).isEqualTo("1048576 4096 255");
    assertThat(shell.sh("df --output=source,fstype . | tail -1"))
        .matches("regionfs +fuse.regionfs");
  }
}
