package io.regionfs.fs;

import static io.regionfs.fs.Files.O_RDONLY;
import static io.regionfs.fs.Files.O_RDWR;
import static io.regionfs.fs.Files.O_WRONLY;
import static io.regionfs.fs.Files.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Several nodes on one metadata service: what one does, the others see at once. */
abstract class ClusterContract extends FileSystemContract {
  private static final long DEADLINE_SECONDS = 120;

  /** Node 1 or 2; files are at home where they are made. */
  abstract RegionFileSystem node(int number);

  /** Some home holds bytes for the inode. */
  abstract boolean hasRegion(InodeId inode);

  /** The node's lease runs out and it joins again, but has not opened again. */
  abstract void expire(int number);

  @Override
  FileSystem fileSystem() {
    return node(1);
  }

  private Files one() {
    return new Files(node(1));
  }

  private Files two() {
    return new Files(node(2));
  }

  @Test
  void growthIsSeenAtOnceByTheOther() {
    FileSystem.Created created = one().create("a");
    InodeId inode = created.attributes().inode();
    try (OpenFile writer = created.file();
        OpenFile reader = two().open(inode, O_RDONLY)) {
      assertThat(two().read(reader, 0, 10)).isEmpty();
      for (int length = 1; length < 20; length++) {
        one().append(writer, "x");
        assertThat(two().lookup("a").size()).isEqualTo(length);
        assertThat(two().read(reader, 0, 100)).hasSize(length);
      }
    }
  }

  @Test
  void anEmptyFileOpenForReadingShowsWhatAnotherWritesLater() {
    InodeId inode = node(1).makeFile(InodeId.ROOT, Name.of("a"), 0644, Files.CALLER).inode();
    try (OpenFile reader = two().open(inode, O_RDONLY)) {
      assertThat(two().read(reader, 0, 10)).isEmpty();
      assertThat(hasRegion(inode)).isFalse();
      try (OpenFile writer = one().open(inode, O_WRONLY)) {
        one().write(writer, 0, "hello");
      }
      assertThat(two().read(reader, 0, 10)).isEqualTo("hello");
      reader.fsync(false);
    }
    assertThat(one().content(inode)).isEqualTo("hello");
  }

  @Test
  void theLaterWriterMayWriteFirst() {
    InodeId inode = node(1).makeFile(InodeId.ROOT, Name.of("a"), 0644, Files.CALLER).inode();
    try (OpenFile first = one().open(inode, O_RDWR);
        OpenFile second = two().open(inode, O_RDWR)) {
      two().append(second, "two");
      one().append(first, "one");
      assertThat(one().read(first, 0, 10)).isEqualTo("twoone");
    }
    assertThat(node(2).attributes(inode).size()).isEqualTo(6);
    assertThat(node(2).attributes(inode).atHome()).isFalse();
  }

  @Test
  void theLastOfTwoWritersCommitsTheSize() {
    InodeId inode = one().make("a", "");
    OpenFile first = one().open(inode, O_WRONLY);
    OpenFile second = two().open(inode, O_WRONLY);
    two().append(second, "two");
    second.close();
    assertThat(one().size(inode)).isEqualTo(3);
    one().append(first, "one");
    first.close();
    Attributes committed = node(2).attributes(inode);
    assertThat(committed.atHome()).isFalse();
    assertThat(committed.size()).isEqualTo(6);
  }

  @Test
  void appendsOfBothNodesAreAllThere() throws Exception {
    InodeId inode = one().make("log", "");
    int perThread = 100;
    List<Runnable> appenders = new ArrayList<>();
    for (int thread = 0; thread < 4; thread++) {
      Files files = thread % 2 == 0 ? one() : two();
      String line = (char) ('a' + thread) + "-------\n";
      appenders.add(
          () -> {
            try (OpenFile file = files.open(inode, O_WRONLY)) {
              for (int i = 0; i < perThread; i++) {
                files.append(file, line);
              }
            }
          });
    }
    together(appenders);
    String[] lines = one().content(inode).split("\n");
    assertThat(lines).hasSize(4 * perThread).allMatch(line -> line.matches("[a-d]-------"));
    for (char c = 'a'; c <= 'd'; c++) {
      String mine = String.valueOf(c);
      assertThat(Arrays.stream(lines).filter(line -> line.startsWith(mine))).hasSize(perThread);
    }
    assertThat(two().size(inode)).isEqualTo(4L * perThread * 9);
    assertThat(settled(inode).size()).isEqualTo(4L * perThread * 9);
  }

  @Test
  void aRegionIsFreedByTheLastCloseOfAnyNode() {
    InodeId inode = one().make("a", "text");
    OpenFile here = one().open(inode, O_RDONLY);
    OpenFile there = two().open(inode, O_RDWR);
    one().unlink("a");
    here.close();
    assertThat(hasRegion(inode)).isTrue();
    assertThat(two().read(there, 0, 10)).isEqualTo("text");
    there.close();
    assertThat(hasRegion(inode)).isFalse();
    assertThat(refusal(() -> one().size(inode))).contains(Errno.ENOENT);
  }

  @Test
  void opensAndClosesOfManyThreadsLeaveNothingOpen() throws Exception {
    long seed = new Random().nextLong();
    InodeId inode = one().make("a", "text");
    List<Runnable> users = new ArrayList<>();
    for (int thread = 0; thread < 6; thread++) {
      Random random = new Random(seed + thread);
      Files files = thread % 3 == 2 ? two() : one();
      users.add(() -> openAndClose(files, inode, random));
    }
    together(users);
    assertThat(node(1).openInodes() + node(2).openInodes()).as("seed %d", seed).isZero();
    int length = one().content(inode).length();
    assertThat(two().size(inode)).as("seed %d", seed).isEqualTo(length);
    assertThat(settled(inode).size()).as("seed %d", seed).isEqualTo(length);
    one().unlink("a");
    assertThat(hasRegion(inode)).as("seed %d", seed).isFalse();
  }

  private static void openAndClose(Files files, InodeId inode, Random random) {
    for (int i = 0; i < 60; i++) {
      boolean write = random.nextBoolean();
      try (OpenFile file = files.open(inode, write ? O_RDWR : O_RDONLY)) {
        if (write) {
          files.append(file, "x");
        }
        assertThat(files.read(file, 0, 4)).isEqualTo("text");
        assertThat(files.size(inode)).isGreaterThanOrEqualTo(4);
      }
    }
  }

  @Test
  void filesMadeAndRemovedInAStormLeaveNothing() throws Exception {
    List<InodeId> made = Collections.synchronizedList(new ArrayList<>());
    List<Runnable> makers = new ArrayList<>();
    for (int thread = 0; thread < 4; thread++) {
      Files files = thread == 3 ? two() : one();
      String name = "f" + thread;
      makers.add(
          () -> {
            for (int i = 0; i < 40; i++) {
              FileSystem.Created created = files.create(name);
              made.add(created.attributes().inode());
              try (OpenFile file = created.file()) {
                files.write(file, 0, name);
                files.unlink(name);
                assertThat(files.read(file, 0, 10)).isEqualTo(name);
              }
            }
          });
    }
    AtomicBoolean done = new AtomicBoolean();
    Thread prowler = new Thread(() -> prowl(done), "prowler");
    prowler.start();
    together(makers);
    done.set(true);
    prowler.join(TimeUnit.SECONDS.toMillis(DEADLINE_SECONDS));
    assertThat(node(1).openInodes() + node(2).openInodes()).isZero();
    assertThat(made).hasSize(160).noneMatch(this::hasRegion);
  }

  /** Opens, as the kernel may, what it finds while others make and remove it. */
  private void prowl(AtomicBoolean done) {
    while (!done.get()) {
      for (int thread = 0; thread < 4; thread++) {
        String name = "f" + thread;
        refusal(() -> one().open(one().lookup(name).inode(), O_RDWR).close());
      }
    }
  }

  @Test
  void truncationsAgainstWritesNeverShowOtherBytes() throws Exception {
    InodeId inode = one().make("a", "");
    Runnable writer =
        () -> {
          try (OpenFile file = one().open(inode, O_WRONLY)) {
            for (int i = 0; i < 100; i++) {
              one().write(file, i, "x".repeat(50));
            }
          }
        };
    Runnable cutter =
        () -> {
          for (int i = 0; i < 50; i++) {
            node(2).setAttributes(inode, Files.size(i));
          }
        };
    together(List.of(writer, cutter));
    assertThat(one().content(inode)).matches("[x\0]*");
    assertThat(one().size(inode)).isEqualTo(one().content(inode).length());
    assertThat(settled(inode).size()).isEqualTo(one().content(inode).length());
  }

  @Test
  void afterALeaseRanOutOpenFilesAreOpenedAgain() {
    InodeId kept = one().make("kept", "text");
    InodeId gone = one().make("gone", "text");
    try (OpenFile keptFile = two().open(kept, O_RDWR);
        OpenFile goneFile = two().open(gone, O_RDWR)) {
      two().append(keptFile, "!");
      expire(2);
      one().unlink("gone");
      node(2).reopenAll();
      two().append(keptFile, "?");
      one().unlink("kept");
      assertThat(two().read(keptFile, 0, 10)).isEqualTo("text!?");
      assertThat(refusal(() -> two().read(goneFile, 0, 10))).contains(Errno.ESTALE);
      assertThat(refusal(() -> two().write(goneFile, 0, "x"))).contains(Errno.ESTALE);
      assertThat(refusal(() -> goneFile.flush(0))).contains(Errno.ESTALE);
      assertThat(hasRegion(kept)).isTrue();
    }
    assertThat(hasRegion(kept)).isFalse();
    assertThat(node(2).openInodes()).isZero();
  }

  @Test
  void closingANodeSettlesWhatItHadOpen() {
    InodeId inode = one().make("a", "text");
    OpenFile left = two().open(inode, O_RDWR);
    two().append(left, "!");
    node(2).close();
    Attributes settled = node(1).attributes(inode);
    assertThat(settled.atHome()).isFalse();
    assertThat(settled.size()).isEqualTo(5);
    left.close();
    assertThat(refusal(() -> two().open(inode, O_RDONLY).close())).contains(Errno.ENOTCONN);
    one().unlink("a");
    assertThat(hasRegion(inode)).isFalse();
  }

  /** What is committed after a session that a node had alone. */
  private Attributes settled(InodeId inode) {
    one().open(inode, O_WRONLY).close();
    Attributes attributes = node(2).attributes(inode);
    assertThat(attributes.atHome()).isFalse();
    return attributes;
  }

  private static void together(List<Runnable> tasks) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(tasks.size());
    try {
      List<Future<?>> running = new ArrayList<>();
      for (Runnable task : tasks) {
        running.add(threads.submit(task));
      }
      for (Future<?> task : running) {
        task.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
