package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.regionfs.posix.HugePages;
import io.regionfs.posix.LibC;
import io.regionfs.posix.OwnTmpfs;
import io.regionfs.region.MemoryDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Only root may mount: what needs that is left out for others. */
class PlaceTest {
  private static final long BYTES = 8L << 20;

  private Path base = Path.of("");
  private Path directory = Path.of("");

  @BeforeEach
  void make() throws IOException {
    base = Files.createTempDirectory(Path.of("/dev/shm"), "regionfs-test-");
    directory = base.resolve("cluster");
  }

  @AfterEach
  void remove() throws IOException {
    if (Files.isDirectory(directory)) {
      Files.writeString(directory.resolve("lock"), "");
    }
    LentDirectory.remove(base);
    assertThat(base).doesNotExist();
  }

  private Place choose(boolean wanted, long bytes) throws IOException {
    return Place.choose(directory, wanted, bytes, "never");
  }

  private static boolean isRoot() {
    return LibC.INSTANCE.getuid() == 0;
  }

  @Test
  void unwantedItIsTheDirectoryItself() throws IOException {
    assertThat(choose(false, BYTES)).isEqualTo(new Place(directory, "nopassthrough"));
  }

  @Test
  void theKernelItselfKeepsToTheSize() throws IOException {
    assumeTrue(isRoot());
    Place place = choose(true, BYTES);
    assertThat(place).isEqualTo(new Place(directory.resolve("bytes"), ""));
    assertThat(OwnTmpfs.isAt(place.files())).isTrue();
    assertThat(Files.getFileStore(place.files()).getTotalSpace()).isEqualTo(BYTES);
  }

  @Test
  void aKernelWithoutHugePagesGivesOthers() throws IOException {
    assumeTrue(isRoot());
    Place place = Place.choose(directory, true, BYTES, "unknown");
    assertThat(OwnTmpfs.isAt(place.files())).isTrue();
    assertThat(HugePages.policyOf(place.files())).isEqualTo("never");
  }

  @Test
  void itIsFoundAgainWithWhatIsInIt() throws IOException {
    assumeTrue(isRoot());
    Path file = choose(true, BYTES).files().resolve("0000000000000005");
    Files.writeString(file, "bytes");
    assertThat(choose(true, 2 * BYTES).refusal()).isEmpty();
    assertThat(file).hasContent("bytes");
    assertThat(Files.getFileStore(file).getTotalSpace()).isEqualTo(2 * BYTES);
    assertThat(choose(false, BYTES))
        .isEqualTo(new Place(directory.resolve("bytes"), "nopassthrough"));
    Files.write(file, new byte[5 << 20]);
    assertThat(choose(true, BYTES / 4).files()).isEqualTo(directory.resolve("bytes"));
    assertThat(file).hasSize(5 << 20);
  }

  @Test
  void memoryOfAnEarlierRunStaysWhereItIs() throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("0000000000000005"), "bytes");
    assertThat(MemoryDirectory.holdsRegions(directory)).isTrue();
    Place place = choose(true, BYTES);
    assertThat(place.files()).isEqualTo(directory);
    assertThat(place.refusal()).contains("earlier");
  }
}
