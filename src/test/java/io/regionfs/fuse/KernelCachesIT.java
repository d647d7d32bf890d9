package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.posix.LibC;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two hosts, each with a mount of its own and a kernel that keeps what it is told. */
@SuppressWarnings({
  "NullAway.Init", // JUnit sets up what the fields hold
  "MustBeClosedChecker" // close() does
})
class KernelCachesIT {
  private static final long PATIENCE =
      TimeUnit.SECONDS.toNanos(20L * Integer.getInteger("regionfs.test.patience", 1));

  @TempDir Path temporary;
  private final LeasedHost.Shared shared = new LeasedHost.Shared();
  private final LeasedHost hostA = shared.newHost();
  private final LeasedHost hostB = shared.newHost();
  private final List<FuseMount> mounts = new ArrayList<>();
  private Path a;
  private Path b;

  @BeforeEach
  void mount() throws IOException {
    assumeTrue(Files.exists(Path.of("/dev/fuse")), "skipped: there is no /dev/fuse");
    assumeTrue(LibC.INSTANCE.getuid() == 0, "skipped: mounting needs root");
    a = Files.createDirectory(temporary.resolve("a"));
    b = Files.createDirectory(temporary.resolve("b"));
    LeasedHost.assumeThatTheKernelKeepsNames();
    mounts.add(FuseMount.mount(a, hostA.fileSystem(), FuseOptions.defaults()));
    mounts.add(FuseMount.mount(b, hostB.fileSystem(), FuseOptions.defaults()));
  }

  @AfterEach
  void close() {
    mounts.forEach(FuseMount::close);
    assertThat(shared.fileSystem.buffersOut).hasValue(0);
    assertThat(shared.fileSystem.opensOut).hasValue(0);
  }

  /** The kernel keeps names only in a directory that was quiet for a while. */
  private static void untilNothingIsAsked(LeasedHost host, Shell shell, String command) {
    long end = System.nanoTime() + PATIENCE;
    int before;
    do {
      assertThat(System.nanoTime() - end).as("nanoseconds late").isNegative();
      before = host.asked();
      shell.sh(command);
    } while (host.asked() > before);
  }

  @Test
  void anUnchangedTreeIsNotAskedFor() {
    Shell shell = new Shell(a);
    shell.sh("for d in x x/y z; do mkdir $d; for f in 1 2 3; do echo $f > $d/$f; done; done");
    String command =
        "stat . x x/1 x/2 x/y x/y/3 z/1 >/dev/null; ! test -e x/no; ! test -e z/no/deeper";
    untilNothingIsAsked(hostA, shell, command);
    shell.sh("echo changed > x/1");
    assertThat(shell.sh("stat -c %s x/1")).isEqualTo("8");
    untilNothingIsAsked(hostA, shell, command);
  }

  @Test
  void everyKindOfChangeIsSeenAtOnce() throws IOException {
    Shell there = new Shell(b);
    Shell here = new Shell(a);
    here.sh("for i in 1 2 3 4 5 6 7 8; do mkdir d$i; echo $i > d$i/f; chmod 600 d$i/f; done");
    String all = "for i in 1 2 3 4 5 6 7 8; do stat d$i d$i/f; ! test -e d$i/no; done >/dev/null";
    untilNothingIsAsked(hostB, there, all);

    here.sh("touch d1/no");
    assertThat(there.sh("stat -c %n d1/no; ls d1")).isEqualTo("d1/no\nf\nno");
    here.sh("rm d2/f");
    assertThat(there.run("stat d2/f").output()).contains("No such file");
    here.sh("chmod 640 d3/f; chown 12:34 d3/f");
    assertThat(there.sh("stat -c '%a %u:%g' d3/f")).isEqualTo("640 12:34");
    here.sh("mv d4/f d4/no");
    assertThat(there.sh("cat d4/no; ! test -e d4/f")).isEqualTo("4");
    here.sh("rm d5/f; rmdir d5; mkdir -m 700 d5; echo new > d5/g");
    assertThat(there.sh("stat -c %a d5; ls d5; cat d5/g; ! test -e d5/f")).isEqualTo("700\ng\nnew");
    here.sh("echo more >> d6/f");
    assertThat(there.sh("stat -c %s d6/f; cat d6/f")).isEqualTo("7\n6\nmore");
    here.sh("ln d7/f d7/no");
    assertThat(there.sh("stat -c %h d7/f d7/no")).isEqualTo("2\n2");
    here.sh("rm d8/f; ln -s ../d1/f d8/f");
    assertThat(there.sh("cat d8/f")).isEqualTo("1");
    here.sh("touch -d @1000 d3/f; truncate -s 100 d3/f; touch -d @2000 d3");
    assertThat(there.sh("stat -c %s d3/f; stat -c %Y d3")).isEqualTo("100\n2000");
  }

  @Test
  void aNameThatWasMovedHereAndRemovedThereIsGone() {
    Shell here = new Shell(a);
    Shell there = new Shell(b);
    here.sh("mkdir d e; echo 1 > d/f; mkdir d/sub; touch d/sub/x");
    untilNothingIsAsked(hostA, here, "stat d/f d/sub/x e; ! test -e e/f");
    here.sh("mv d/f e/f; mv d/sub e/sub; stat e/f e/sub/x");
    there.sh("rm e/f; mv e/sub d/back");
    assertThat(here.run("stat e/f").output()).contains("No such file");
    assertThat(here.run("stat e/sub/x").output()).contains("No such file");
    assertThat(here.sh("ls e; stat -c %n d/back/x")).isEqualTo("d/back/x");
  }

  @Test
  void forgettingEverything() {
    Shell there = new Shell(b);
    there.sh("mkdir d; echo 1 > d/f");
    untilNothingIsAsked(hostB, there, "stat d/f; ! test -e d/no");
    int before = hostB.asked();
    hostB.listener().forgetAll();
    there.sh("stat d/f; ! test -e d/no");
    assertThat(hostB.asked()).isGreaterThan(before + 2);
  }

  @Test
  void aProcessKeepsItsWorkingDirectory() {
    Shell here = new Shell(a);
    Shell there = new Shell(b);
    here.sh("mkdir -p d/e; mkdir other");
    untilNothingIsAsked(hostA, here, "stat d/e other; ! test -e other/no");
    assertThat(
            here.sh(
                "cd d/e; touch "
                    + b.resolve("other/no")
                    + "; stat "
                    + a.resolve("other/no")
                    + " >/dev/null; stat "
                    + a.resolve("d/e")
                    + " >/dev/null; /bin/pwd"))
        .isEqualTo(a.resolve("d/e").toString());
    there.sh("rmdir d/e");
  }

  /** What {@code seen} should find: name to mode. */
  private static void check(Path root, Map<String, Integer> model, String name) throws IOException {
    Integer mode = model.get(name);
    Path path = root.resolve(name);
    try {
      Object found = Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
      assertThat((int) found & 0777).as(name).isEqualTo(mode);
    } catch (NoSuchFileException e) {
      assertThat(mode).as(name + " is not there").isNull();
    }
  }

  @Test
  void randomChangesAreSeenByTheOtherHost() throws IOException {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    int directories = 100;
    Map<String, Integer> model = new TreeMap<>();
    for (int i = 0; i < directories; i++) {
      Files.createDirectory(a.resolve("d" + i));
    }
    for (int i = 0; i < 3000; i++) {
      Path from = random.nextBoolean() ? a : b;
      String name = "d" + random.nextInt(directories) + "/" + random.nextInt(2);
      String other = "d" + random.nextInt(directories) + "/" + random.nextInt(2);
      int mode = 0400 + random.nextInt(0400);
      Path path = from.resolve(name);
      if (!model.containsKey(name)) {
        Files.write(path, new byte[0], StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        Files.setAttribute(path, "unix:mode", 0100000 | mode);
        model.put(name, mode);
      } else if (random.nextBoolean()) {
        Files.setAttribute(path, "unix:mode", 0100000 | mode);
        model.put(name, mode);
      } else if (random.nextBoolean()) {
        Files.delete(path);
        model.remove(name);
      } else {
        Files.move(path, from.resolve(other), StandardCopyOption.REPLACE_EXISTING);
        int moved = model.remove(name);
        model.put(other, moved);
      }
      for (Path root : List.of(from.equals(a) ? b : a, from)) {
        check(root, model, name);
        check(root, model, other);
        check(root, model, "d" + random.nextInt(directories) + "/" + random.nextInt(2));
      }
    }
  }

  /** Each holds locks of the directory in its kernel while the other's notices arrive. */
  @Test
  void twoHostsChangeOneDirectoryAgainstEachOther() throws Exception {
    Files.createDirectories(
        a.resolve("d"),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      List<Future<?>> loops = new ArrayList<>();
      for (Path root : List.of(a, b, a, b)) {
        loops.add(threads.submit(() -> hammer(root.resolve("d"))));
      }
      for (Future<?> loop : loops) {
        loop.get(120, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static void hammer(Path directory) {
    Random random = new Random();
    int refused = 0; // the other was faster
    for (int i = 0; i < 1500; i++) {
      Path name = directory.resolve("f" + random.nextInt(3));
      try {
        switch (random.nextInt(5)) {
          case 0 -> Files.write(name, new byte[] {1});
          case 1 -> Files.delete(name);
          case 2 -> Files.move(name, directory.resolve("f" + random.nextInt(3)));
          case 3 -> Files.exists(name);
          default -> Files.setLastModifiedTime(name, Files.getLastModifiedTime(name));
        }
      } catch (IOException e) {
        refused++;
      }
    }
    assertThat(refused).isLessThan(1500);
  }
}
