package io.regionfs.fs;

import static io.regionfs.fs.Files.O_RDWR;
import static io.regionfs.fs.Files.O_TRUNC;
import static io.regionfs.fs.Files.O_WRONLY;
import static io.regionfs.fs.Files.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.fs.WatchedMetadata.Trap;
import io.regionfs.model.AttributeChange;
import io.regionfs.model.AttributeChange.Kill;
import io.regionfs.model.Errno;
import io.regionfs.model.InodeId;
import io.regionfs.rpc.local.LocalTransport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What privileges a file has left after it was changed, and that it costs writes nothing. */
class PrivilegesTest {
  private static final byte[] CAPABILITY = "security.capability".getBytes(StandardCharsets.UTF_8);

  private final FakeRegions regions = new FakeRegions();
  private final TestService service;
  private final WatchedMetadata watched;
  private final RegionFileSystem fs;
  private final Files files;
  private final InodeId inode;

  PrivilegesTest() throws IOException {
    service = new TestService(new LocalTransport());
    watched = new WatchedMetadata(service.metadata(1));
    fs = new RegionFileSystem(watched.metadata(), regions, service.id(1), new FsOptions("x", true));
    files = new Files(fs);
    inode = files.make("a", "text");
  }

  @AfterEach
  void close() {
    fs.close();
    service.close();
  }

  private void setMode(int mode) {
    fs.setAttributes(inode, new AttributeChange(mode, null, null, null, null, null));
  }

  private int mode() {
    return fs.attributes(inode).mode();
  }

  private void setCapability() {
    fs.setXattr(inode, CAPABILITY, CAPABILITY, 0, Files.CALLER);
    assertThat(hasCapability()).isTrue();
  }

  private boolean hasCapability() {
    boolean shown = fs.attributes(inode).capability();
    boolean listed =
        fs.xattrNames(inode).stream().anyMatch(name -> Arrays.equals(name, CAPABILITY));
    boolean there =
        refusal(() -> fs.xattr(inode, CAPABILITY)).filter(Errno.ENODATA::equals).isEmpty();
    assertThat(shown).isEqualTo(there);
    assertThat(listed).isEqualTo(there);
    return there;
  }

  private void writeAs(Kill kill) {
    try (OpenFile file = files.open(inode, O_WRONLY)) {
      file.kill(kill);
      files.write(file, 0, "more");
    }
  }

  @Test
  void whoMayNotKeepThemWritesThemAway() {
    for (int mode : new int[] {04755, 06755, 02755, 07777, 04644}) {
      setMode(mode);
      writeAs(Kill.CAPABILITY);
      assertThat(mode()).as("root").isEqualTo(mode);
      writeAs(Kill.ALL);
      assertThat(mode()).isEqualTo(mode & 01777);
    }
    setMode(02745);
    writeAs(Kill.ALL);
    assertThat(mode()).as("without execution by the group it is no privilege").isEqualTo(02745);
  }

  @Test
  void everyWriteTakesCapabilities() {
    setCapability();
    setMode(04755);
    writeAs(Kill.CAPABILITY);
    assertThat(hasCapability()).isFalse();
    assertThat(mode()).isEqualTo(04755);
    setCapability();
    writeAs(Kill.ALL);
    assertThat(hasCapability()).isFalse();
    assertThat(mode()).isEqualTo(0755);
  }

  @Test
  void theyGoFromAFileThatIsBeingWritten() {
    try (OpenFile file = files.open(inode, O_RDWR)) {
      file.kill(Kill.ALL);
      setMode(04755);
      setCapability();
      file.kill(Kill.CAPABILITY);
      assertThat(hasCapability()).isFalse();
      assertThat(mode()).isEqualTo(04755);
      file.kill(Kill.ALL);
      assertThat(mode()).isEqualTo(0755);
    }
  }

  @Test
  void ownersAndSizesTakeThem() {
    setMode(06755);
    setCapability();
    fs.setAttributes(inode, new AttributeChange(null, 5, 6, null, null, null, Kill.ALL));
    assertThat(mode()).isEqualTo(0755);
    assertThat(fs.attributes(inode).uid()).isEqualTo(5);
    assertThat(hasCapability()).isFalse();

    setMode(06755);
    setCapability();
    fs.setAttributes(inode, new AttributeChange(null, null, null, 2L, null, null, Kill.CAPABILITY));
    assertThat(hasCapability()).isFalse();
    assertThat(mode()).isEqualTo(06755);
    fs.setAttributes(inode, new AttributeChange(null, null, null, 1L, null, null, Kill.ALL));
    assertThat(mode()).isEqualTo(0755);

    setMode(06755);
    setCapability();
    files.open(inode, O_WRONLY | O_TRUNC).close();
    assertThat(hasCapability()).isFalse();
    assertThat(mode()).isEqualTo(06755);
    files.open(inode, O_WRONLY | O_TRUNC | FileSystem.OPEN_KILLS).close();
    assertThat(mode()).isEqualTo(0755);

    setMode(06755);
    fs.setAttributes(inode, AttributeChange.of(Kill.ALL));
    assertThat(mode()).isEqualTo(0755);
  }

  @Test
  void aDirectoryKeepsItsBits() {
    InodeId root = InodeId.ROOT;
    fs.setAttributes(root, new AttributeChange(02777, null, null, null, null, null));
    fs.setAttributes(root, new AttributeChange(null, 1, null, null, null, null, Kill.ALL));
    fs.setAttributes(root, AttributeChange.of(Kill.ALL));
    assertThat(fs.attributes(root).mode()).isEqualTo(02777);
  }

  @Test
  void writesAskNobody() {
    setMode(04755);
    for (boolean made : new boolean[] {false, true}) {
      try (OpenFile file = made ? files.create("b").file() : files.open(inode, O_WRONLY)) {
        Trap attributes = new Trap("attributes", false, () -> {});
        Trap changes = new Trap("setAttributes", false, () -> {});
        Trap questions = new Trap("xattr", false, () -> {});
        InodeId written = made ? files.lookup("b").inode() : inode;
        for (Trap trap : new Trap[] {attributes, changes, questions}) {
          watched.trap.set(trap);
          for (int i = 0; i < 10; i++) {
            assertThat(refusal(() -> fs.xattr(written, CAPABILITY))).contains(Errno.ENODATA);
            file.kill(Kill.CAPABILITY);
            files.write(file, 0, "more");
          }
          assertThat(watched.trap).hasValue(trap);
          watched.trap.set(null);
        }
      }
    }
    Trap question = new Trap("xattr", false, () -> {});
    watched.trap.set(question);
    assertThat(refusal(() -> fs.xattr(inode, CAPABILITY))).contains(Errno.ENODATA);
    assertThat(watched.trap).as("who does not write it has to ask").hasValue(null);
  }
}
