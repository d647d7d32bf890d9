package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Programs whose files and mappings are larger than the memory they get. With nopassthrough: else
 * the pages of a file at home are those of the lent memory, and count as the program's own.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MemoryLimitIT {
  private static final long LIMIT = 32 << 20;
  private static final int LARGE = 64 << 20;

  private MappedPlaces places;

  /** What the last command with little memory had of it. */
  private long mostBytes;

  @SuppressWarnings("NullAway.Init") // set before the first test
  MemoryLimitIT() {}

  @BeforeAll
  void up() throws Exception {
    places = new MappedPlaces("-o", "nopassthrough");
  }

  @AfterAll
  @SuppressWarnings("NullAway") // null if the hosts could not be made or the tests are skipped
  void down() throws Exception {
    if (places != null) {
      places.close();
    }
  }

  /** Runs a command with little memory, on tmpfs with all: there the file itself would count. */
  private String limited(Path directory, Object... command) throws Exception {
    Shell shell = places.cluster.shell;
    if (!directory.startsWith(places.cluster.directory)) {
      return shell.run(command).succeeded().out();
    }
    try (MemoryLimit limit = new MemoryLimit(LIMIT)) {
      String out = shell.run(limit.with(command)).succeeded().out();
      mostBytes = limit.mostBytes();
      return out;
    }
  }

  /** Its pages come and go: those that are dirty are written back, all are read again. */
  @Test
  void aMappingIsLargerThanMemory() throws Exception {
    String program =
        """
        import hashlib, mmap, sys
        size, page = int(sys.argv[2]), 4096
        with open(sys.argv[1], 'r+b') as f:
            f.truncate(size)
            m = mmap.mmap(f.fileno(), size)
            for n in range(2):
                for at in range(n * page, size, page * (n + 1)):
                    m[at:at + 8] = (int.from_bytes(m[at:at + 8], 'little') * 31 + at + n).to_bytes(8, 'little')
            h = hashlib.sha256()
            for at in range(0, size, 1 << 20):
                h.update(m[at:at + (1 << 20)])
            print(h.hexdigest())
            m.flush()
        """;
    places.compare(
        "large",
        List.of("file"),
        (here, there) -> {
          Path file = here.resolve("file");
          String mapped = limited(here, "python3", "-c", program, file, LARGE);
          String read =
              places.cluster.shell.run("sha256sum", there.resolve("file")).succeeded().out();
          assertThat(read).startsWith(mapped.strip());
          if (!here.equals(there)) {
            assertThat(mostBytes).as("memory used under the limit").isGreaterThan(LIMIT / 2);
          }
          return mapped;
        });
  }

  @Test
  void sortUsesFilesLargerThanMemory() throws Exception {
    places.compare(
        "sort",
        List.of("input", "output"),
        (here, there) -> {
          writeLines(there.resolve("input"));
          assertThat(Files.size(here.resolve("input"))).isGreaterThan(LIMIT);
          Path temporary = Files.createDirectory(here.resolve("temporary"));
          Object[] sort = {
            "env",
            "LC_ALL=C",
            "sort",
            "--parallel=1",
            "-S",
            "12M",
            "-T",
            temporary,
            "-o",
            here.resolve("output"),
            here.resolve("input")
          };
          limited(here, sort);
          assertThat(temporary).isEmptyDirectory();
          String sum =
              places
                  .cluster
                  .shell
                  .run("sh", "-c", "sha256sum <\"$0\"", there.resolve("output"))
                  .succeeded()
                  .out();
          Files.delete(here.resolve("input"));
          Files.delete(here.resolve("output"));
          return sum;
        });
  }

  private static void writeLines(Path path) throws IOException {
    Random random = new Random(1);
    String filler = "x".repeat(100);
    try (BufferedWriter out = Files.newBufferedWriter(path)) {
      for (int i = 0; i < 400_000; i++) {
        out.write(
            Long.toHexString(random.nextLong()) + filler.substring(random.nextInt(40)) + "\n");
      }
    }
  }
}
