package io.regionfs.fs;

import static io.regionfs.fs.Files.CALLER;
import static io.regionfs.fs.Files.O_RDONLY;
import static io.regionfs.fs.Files.O_RDWR;
import static io.regionfs.fs.Files.O_TRUNC;
import static io.regionfs.fs.Files.O_WRONLY;
import static io.regionfs.fs.Files.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.TimeChange;
import io.regionfs.model.Attributes;
import io.regionfs.model.Errno;
import io.regionfs.model.FallocateMode;
import io.regionfs.model.FileType;
import io.regionfs.model.InodeId;
import io.regionfs.model.Name;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What programs rely on, for every {@link FileSystem}. The implementation's test adds the rest. */
abstract class FileSystemContract {
  private static final Instant LONG_AGO = Instant.parse("2001-02-03T04:05:06.789012345Z");

  /** An empty file system, the same during one test. */
  abstract FileSystem fileSystem();

  private Files files() {
    return new Files(fileSystem());
  }

  @Test
  void aNewFileIsEmptyAndBelongsToItsCaller() {
    try (OpenFile file = files().create("a").file()) {
      Attributes a = files().lookup("a");
      assertThat(a.type()).isEqualTo(FileType.FILE);
      assertThat(a.size()).isZero();
      assertThat(a.mode()).isEqualTo(0644);
      assertThat(a.uid()).isEqualTo(CALLER.uid());
      assertThat(a.gid()).isEqualTo(CALLER.gid());
      assertThat(a.links()).isEqualTo(1);
      assertThat(files().read(file, 0, 10)).isEmpty();
    }
  }

  @Test
  void whatWasWrittenIsReadInThisOpenAndTheNext() {
    InodeId inode;
    try (OpenFile file = files().create("a").file()) {
      files().write(file, 0, "hello world");
      files().write(file, 6, "there");
      assertThat(files().read(file, 0, 100)).isEqualTo("hello there");
      assertThat(files().read(file, 6, 3)).isEqualTo("the");
      assertThat(files().read(file, 11, 3)).isEmpty();
      assertThat(files().read(file, 1L << 40, 3)).isEmpty();
      inode = files().lookup("a").inode();
      assertThat(files().size(inode)).isEqualTo(11);
    }
    assertThat(files().content(inode)).isEqualTo("hello there");
    assertThat(files().size(inode)).isEqualTo(11);
  }

  @Test
  void aWriteBeyondTheEndLeavesZeros() {
    try (OpenFile file = files().create("a").file()) {
      files().write(file, 3, "x");
      assertThat(files().read(file, 0, 10)).isEqualTo("\0\0\0x");
    }
  }

  @Test
  void anAppendGoesToTheEndWhateverItsOffset() {
    try (OpenFile file = files().create("a").file()) {
      files().write(file, 0, "one");
      files().append(file, "two");
      files().append(file, "three");
      assertThat(files().read(file, 0, 100)).isEqualTo("onetwothree");
    }
  }

  @Test
  void aFileIsUsedOnlyAsItWasOpened() {
    InodeId inode = files().make("a", "text");
    try (OpenFile reader = files().open(inode, O_RDONLY);
        OpenFile writer = files().open(inode, O_WRONLY)) {
      assertThat(refusal(() -> files().write(reader, 0, "x"))).contains(Errno.EBADF);
      assertThat(refusal(() -> files().read(writer, 0, 1))).contains(Errno.EBADF);
      assertThat(refusal(() -> reader.allocate(FallocateMode.ALLOCATE, 0, 1)))
          .contains(Errno.EBADF);
    }
    assertThat(files().content(inode)).isEqualTo("text");
  }

  @Test
  void openWithTruncationEmptiesTheFile() {
    InodeId inode = files().make("a", "text");
    try (OpenFile file = files().open(inode, O_RDWR | O_TRUNC)) {
      assertThat(files().size(inode)).isZero();
      files().write(file, 0, "new");
    }
    assertThat(files().content(inode)).isEqualTo("new");
  }

  @Test
  void truncationShrinksAndGrowsWithZeros() {
    InodeId inode = files().make("a", "text");
    assertThat(fileSystem().setAttributes(inode, Files.size(2)).size()).isEqualTo(2);
    assertThat(fileSystem().setAttributes(inode, Files.size(5)).size()).isEqualTo(5);
    assertThat(files().content(inode)).isEqualTo("te\0\0\0");
  }

  @Test
  void truncationMovesModificationTime() {
    InodeId inode = files().make("a", "text");
    fileSystem().setAttributes(inode, Files.mtime(LONG_AGO));
    Attributes a = fileSystem().setAttributes(inode, Files.size(2));
    assertThat(a.mtime()).isAfter(LONG_AGO);
    assertThat(a.ctime()).isAfterOrEqualTo(a.mtime());
  }

  @Test
  void sizesThatCannotBeAreRefused() {
    InodeId file = files().make("a", "text");
    InodeId directory =
        fileSystem().makeDirectory(InodeId.ROOT, Name.of("d"), 0755, CALLER).inode();
    assertThat(refusal(() -> fileSystem().setAttributes(file, Files.size(-1))))
        .contains(Errno.EINVAL);
    assertThat(refusal(() -> fileSystem().setAttributes(file, Files.size(Long.MAX_VALUE))))
        .contains(Errno.EFBIG);
    assertThat(refusal(() -> fileSystem().setAttributes(directory, Files.size(0))))
        .contains(Errno.EISDIR);
    assertThat(files().content(file)).isEqualTo("text");
  }

  @Test
  void rangesThatCannotBeAreRefused() {
    try (OpenFile file = files().create("a").file()) {
      assertThat(refusal(() -> files().read(file, -1, 1))).contains(Errno.EINVAL);
      assertThat(refusal(() -> files().write(file, -1, "x"))).contains(Errno.EINVAL);
      assertThat(refusal(() -> files().write(file, Long.MAX_VALUE - 1, "xy")))
          .contains(Errno.EFBIG);
      assertThat(refusal(() -> file.allocate(FallocateMode.ALLOCATE, 0, 0))).contains(Errno.EINVAL);
    }
  }

  @Test
  void modificationTimeIsKeptToTheNanosecond() {
    InodeId inode = files().make("a", "text");
    fileSystem().setAttributes(inode, Files.mtime(LONG_AGO));
    assertThat(fileSystem().attributes(inode).mtime()).isEqualTo(LONG_AGO);
    assertThat(fileSystem().attributes(inode).ctime()).isAfter(LONG_AGO);
  }

  @Test
  void modificationTimeSurvivesOpensThatWriteNothing() {
    InodeId inode = files().make("a", "text");
    InodeId empty = fileSystem().makeFile(InodeId.ROOT, Name.of("b"), 0644, CALLER).inode();
    for (InodeId file : List.of(inode, empty)) {
      fileSystem().setAttributes(file, Files.mtime(LONG_AGO));
      try (OpenFile opened = files().open(file, O_WRONLY)) {
        assertThat(fileSystem().attributes(file).mtime()).isEqualTo(LONG_AGO);
        opened.flush(0);
      }
      assertThat(fileSystem().attributes(file).mtime()).isEqualTo(LONG_AGO);
    }
  }

  @Test
  void modificationTimeCanBeSetWhileTheFileIsWritten() {
    InodeId inode;
    try (OpenFile file = files().create("a").file()) {
      files().write(file, 0, "x");
      inode = files().lookup("a").inode();
      Attributes a = fileSystem().setAttributes(inode, Files.mtime(LONG_AGO));
      assertThat(a.mtime()).isEqualTo(LONG_AGO);
      assertThat(fileSystem().attributes(inode).mtime()).isEqualTo(LONG_AGO);
    }
    assertThat(fileSystem().attributes(inode).mtime()).isEqualTo(LONG_AGO);
  }

  @Test
  void modificationTimeNowIsLaterThanBefore() {
    InodeId inode = files().make("a", "text");
    fileSystem().setAttributes(inode, Files.mtime(LONG_AGO));
    assertThat(fileSystem().setAttributes(inode, Files.mtime(null)).mtime()).isAfter(LONG_AGO);
  }

  @Test
  void severalAttributesChangeInOneStep() {
    InodeId inode = files().make("a", "text");
    TimeChange time = new TimeChange(LONG_AGO);
    Attributes a =
        fileSystem().setAttributes(inode, new AttributeChange(0600, 7, 8, 1L, time, time));
    assertThat(a.mode()).isEqualTo(0600);
    assertThat(a.uid()).isEqualTo(7);
    assertThat(a.gid()).isEqualTo(8);
    assertThat(a.size()).isEqualTo(1);
    assertThat(a.atime()).isEqualTo(LONG_AGO);
    assertThat(a.mtime()).isEqualTo(LONG_AGO);
  }

  @Test
  void anUnlinkedFileLivesWhileItIsOpen() {
    FileSystem.Created created = files().create("a");
    InodeId inode = created.attributes().inode();
    try (OpenFile file = created.file()) {
      files().write(file, 0, "still");
      files().unlink("a");
      assertThat(refusal(() -> files().lookup("a"))).contains(Errno.ENOENT);
      files().append(file, " here");
      assertThat(files().read(file, 0, 100)).isEqualTo("still here");
      assertThat(files().size(inode)).isEqualTo(10);
    }
    assertThat(refusal(() -> fileSystem().attributes(inode))).contains(Errno.ENOENT);
  }

  @Test
  void renameReplaces() {
    InodeId a = files().make("a", "A");
    InodeId b = files().make("b", "B");
    fileSystem().rename(InodeId.ROOT, Name.of("a"), InodeId.ROOT, Name.of("b"), 0);
    assertThat(files().lookup("b").inode()).isEqualTo(a);
    assertThat(refusal(() -> files().lookup("a"))).contains(Errno.ENOENT);
    assertThat(refusal(() -> fileSystem().attributes(b))).contains(Errno.ENOENT);
    assertThat(files().content(a)).isEqualTo("A");
  }

  @Test
  void aSecondNameIsTheSameFile() {
    InodeId inode = files().make("a", "text");
    assertThat(fileSystem().link(inode, InodeId.ROOT, Name.of("b")).links()).isEqualTo(2);
    files().unlink("a");
    assertThat(files().content(files().lookup("b").inode())).isEqualTo("text");
  }

  @Test
  void aSymlinkKeepsItsTarget() {
    byte[] target = "some/where".getBytes(StandardCharsets.UTF_8);
    Attributes link = fileSystem().makeSymlink(InodeId.ROOT, Name.of("l"), target, CALLER);
    assertThat(link.type()).isEqualTo(FileType.SYMLINK);
    assertThat(link.size()).isEqualTo(target.length);
    assertThat(fileSystem().readLink(link.inode())).isEqualTo(target);
    assertThat(refusal(() -> fileSystem().setAttributes(link.inode(), Files.size(0))))
        .contains(Errno.EINVAL);
  }

  @Test
  void aNameIsCreatedOnlyOnce() {
    files().make("a", "text");
    assertThat(refusal(() -> files().create("a").file().close())).contains(Errno.EEXIST);
  }

  @Test
  void aDirectoryIsNoFile() {
    InodeId directory =
        fileSystem().makeDirectory(InodeId.ROOT, Name.of("d"), 0755, CALLER).inode();
    assertThat(refusal(() -> files().open(directory, O_WRONLY).close())).contains(Errno.EISDIR);
    assertThat(refusal(() -> files().unlink("d"))).contains(Errno.EISDIR);
    fileSystem().rmdir(InodeId.ROOT, Name.of("d"));
    assertThat(refusal(() -> fileSystem().attributes(directory))).contains(Errno.ENOENT);
  }

  @Test
  void aListingHasEveryEntryOnceHoweverItIsCut() {
    List<String> names = new ArrayList<>(List.of(".", ".."));
    for (int i = 0; i < 20; i++) {
      fileSystem().makeFile(InodeId.ROOT, Name.of("f" + i), 0644, CALLER);
      names.add("f" + i);
    }
    for (int perCall = 1; perCall < 8; perCall++) {
      try (OpenDirectory directory = fileSystem().openDirectory(InodeId.ROOT)) {
        assertThat(Files.list(directory, perCall)).containsExactlyInAnyOrderElementsOf(names);
        assertThat(Files.list(directory, perCall)).startsWith(".", "..");
      }
    }
  }

  @Test
  void aRewoundListingShowsWhatIsThereNow() {
    try (OpenDirectory directory = fileSystem().openDirectory(InodeId.ROOT)) {
      assertThat(Files.list(directory, 9)).containsExactly(".", "..");
      files().make("a", "");
      assertThat(Files.list(directory, 9)).containsExactly(".", "..", "a");
      files().unlink("a");
      assertThat(Files.list(directory, 9)).containsExactly(".", "..");
    }
  }

  @Test
  void aListingKnowsItsParent() {
    InodeId d = fileSystem().makeDirectory(InodeId.ROOT, Name.of("d"), 0755, CALLER).inode();
    List<InodeId> inodes = new ArrayList<>();
    try (OpenDirectory directory = fileSystem().openDirectory(d)) {
      directory.list(
          0,
          (name, inode, type, cookie) -> {
            assertThat(type).isEqualTo(FileType.DIRECTORY);
            return inodes.add(inode);
          });
    }
    assertThat(inodes).containsExactly(d, InodeId.ROOT);
    assertThat(refusal(() -> fileSystem().openDirectory(files().make("a", "x")).close()))
        .contains(Errno.ENOTDIR);
  }

  @Test
  void userAttributesAreKept() {
    InodeId inode = files().make("a", "text");
    byte[] name = "user.colour".getBytes(StandardCharsets.UTF_8);
    assertThat(refusal(() -> fileSystem().xattr(inode, name))).contains(Errno.ENODATA);
    fileSystem().setXattr(inode, name, new byte[] {1, 2}, 1, CALLER);
    assertThat(fileSystem().xattr(inode, name)).containsExactly(1, 2);
    assertThat(fileSystem().xattrNames(inode)).containsExactly(name);
    assertThat(refusal(() -> fileSystem().setXattr(inode, name, new byte[1], 1, CALLER)))
        .contains(Errno.EEXIST);
    fileSystem().removeXattr(inode, name);
    assertThat(refusal(() -> fileSystem().removeXattr(inode, name))).contains(Errno.ENODATA);
  }

  @Test
  void memoryCanBeReservedAndPunched() {
    try (OpenFile file = files().create("a").file()) {
      InodeId inode = files().lookup("a").inode();
      file.allocate(FallocateMode.ALLOCATE, 0, 8192);
      assertThat(files().size(inode)).isEqualTo(8192);
      files().write(file, 0, "abc");
      file.allocate(FallocateMode.PUNCH_HOLE, 0, 4096);
      assertThat(files().read(file, 0, 3)).isEqualTo("\0\0\0");
      assertThat(files().size(inode)).isEqualTo(8192);
    }
  }

  @Test
  void dataIsSoughtWithinTheFile() {
    InodeId inode = files().make("a", "text");
    try (OpenFile file = files().open(inode, O_RDONLY)) {
      assertThat(file.seek(0, false)).isZero();
      assertThat(file.seek(1, true)).isEqualTo(4);
      assertThat(refusal(() -> file.seek(4, false))).contains(Errno.ENXIO);
      assertThat(refusal(() -> file.seek(-1, true))).contains(Errno.ENXIO);
    }
  }

  @Test
  void synchronisingAndFlushingWork() {
    OpenFile file = files().create("a").file();
    files().write(file, 0, "text");
    file.flush(0);
    file.fsync(false);
    file.fsync(true);
    file.close();
    file.close();
    assertThat(files().content(files().lookup("a").inode())).isEqualTo("text");
  }
}
