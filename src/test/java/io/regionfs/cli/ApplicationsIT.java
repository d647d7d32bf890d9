package io.regionfs.cli;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Programs that map their files find in them on RegionFS what they find on tmpfs. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ApplicationsIT {
  private static final String SQL_MAP = "PRAGMA mmap_size=268435456;";
  private static final String SQL_SUMMARY =
      "SELECT count(*), sum(a), sum(length(b)), count(DISTINCT b) FROM t; PRAGMA integrity_check;";

  private MappedPlaces places;
  private Shell shell;

  @SuppressWarnings("NullAway.Init") // set before the first test
  ApplicationsIT() {}

  @BeforeAll
  void up() throws Exception {
    places = new MappedPlaces();
    shell = places.cluster.shell;
  }

  @AfterAll
  @SuppressWarnings("NullAway") // null if the hosts could not be made or the tests are skipped
  void down() throws Exception {
    if (places != null) {
      places.close();
    }
  }

  private void needs(String program) throws Exception {
    assumeThat(shell.run("sh", "-c", "command -v " + program).exit())
        .as(program + " is installed")
        .isZero();
  }

  /** A Python that has the module: that of the distribution may not be the first in the PATH. */
  private String pythonWith(String module) throws Exception {
    for (String python : List.of("/usr/bin/python3", "python3")) {
      if (shell.run("sh", "-c", python + " -c 'import " + module + "'").exit() == 0) {
        return python;
      }
    }
    assumeThat(false).as("Python has the module " + module).isTrue();
    throw new AssertionError();
  }

  private String out(Object... command) throws Exception {
    return shell.run(command).succeeded().out();
  }

  @Test
  void numpyMapsAMatrix() throws Exception {
    String python = pythonWith("numpy");
    String open =
        "import numpy, sys, hashlib; m = numpy.memmap(sys.argv[1], 'f8', '%s', 0, shape=(700, 1001));";
    String fill =
        open.formatted("w+")
            + "m[:] = numpy.arange(m.size).reshape(m.shape); m *= 1.5; m.flush();"
            + "m[:, 3] = m[:, 5]; m[::7] += 1; m.flush()";
    String change = open.formatted("r+") + "m[5:600:9, 10:20] = -2; m.sort(axis=1); m.flush()";
    String show = open.formatted("r") + "print(m.sum(), hashlib.sha256(m).hexdigest())";
    places.compare(
        "numpy",
        List.of("matrix"),
        (here, there) -> {
          shell.run(python, "-c", fill, here.resolve("matrix")).succeeded();
          String filled = out(python, "-c", show, there.resolve("matrix"));
          shell.run(python, "-c", change, there.resolve("matrix")).succeeded();
          return filled + out(python, "-c", show, here.resolve("matrix"));
        });
  }

  @Test
  void javaMapsAndForces() throws Exception {
    places.compare(
        "java",
        List.of("file"),
        (here, there) -> {
          store(here.resolve("file"), 3_000_001, 1);
          int first = Arrays.hashCode(Files.readAllBytes(there.resolve("file")));
          store(there.resolve("file"), 4_000_003, 2);
          byte[] second = Files.readAllBytes(here.resolve("file"));
          return first + " " + second.length + " " + Arrays.hashCode(second);
        });
  }

  /** The mapping extends the file. */
  private static void store(Path path, int bytes, long seed) throws IOException {
    Random random = new Random(seed);
    try (FileChannel file = FileChannel.open(path, READ, WRITE)) {
      MappedByteBuffer map = file.map(MapMode.READ_WRITE, 0, bytes);
      for (int i = 0; i < 100_000; i++) {
        int at = random.nextInt(bytes);
        map.put(at, (byte) (map.get(at) * 31 + random.nextInt()));
        if (i % 20_000 == 0) {
          map.force();
        }
      }
      map.force();
    }
  }

  @Test
  void sqliteMapsItsDatabase() throws Exception {
    needs("sqlite3");
    sqlite("sqlite", "DELETE");
  }

  /** The index of its log is a mapping that all processes of a host store into. */
  @Test
  void sqliteMapsTheIndexOfItsWriteAheadLog() throws Exception {
    needs("sqlite3");
    sqlite("sqlite-wal", "WAL");
  }

  private void sqlite(String name, String journal) throws Exception {
    String fill =
        SQL_MAP
            + "PRAGMA journal_mode="
            + journal
            + "; CREATE TABLE t(a INTEGER PRIMARY KEY, b);"
            + "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)"
            + " INSERT INTO t SELECT i, i || hex(zeroblob(100)) FROM n;"
            + "CREATE INDEX x ON t(b); UPDATE t SET b = a * 3 WHERE a % 5 = 0;"
            + "DELETE FROM t WHERE a % 7 = 0;"
            + SQL_SUMMARY;
    places.compare(
        name,
        List.of("db"),
        (here, there) -> {
          String filled = out("sqlite3", here.resolve("db"), fill);
          insertTogether(here.resolve("db"));
          String after = out("sqlite3", here.resolve("db"), SQL_MAP + SQL_SUMMARY);
          return filled + after + out("sqlite3", there.resolve("db"), SQL_MAP + SQL_SUMMARY);
        });
  }

  /** Two processes of one host, a transaction for each row. */
  private void insertTogether(Path db) throws Exception {
    Process[] writers = new Process[2];
    for (int i = 0; i < writers.length; i++) {
      String inserts =
          (".timeout 60000\n" + SQL_MAP)
              + "\nINSERT INTO t(b) SELECT max(a) || ' more' FROM t;".repeat(40);
      writers[i] = shell.startWithInput("sqlite3", "-bail", db);
      writers[i].getOutputStream().write(inserts.getBytes(StandardCharsets.UTF_8));
      writers[i].getOutputStream().close();
    }
    try {
      for (Process writer : writers) {
        assertThat(writer.waitFor(Shell.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(writer.exitValue()).as("exit code of a writer").isZero();
      }
    } finally {
      for (Process writer : writers) {
        writer.destroyForcibly();
      }
    }
  }

  @Test
  void lmdbLoadsAndDumps() throws Exception {
    needs("mdb_load");
    StringBuilder text =
        new StringBuilder("VERSION=3\nformat=print\ntype=btree\nmapsize=33554432\nHEADER=END\n");
    for (int i = 0; i < 5_000; i++) {
      text.append(" key%08d\n ".formatted(i * 7919L % 100_003))
          .append("v".repeat(i % 500 + 1))
          .append('\n');
    }
    text.append("DATA=END\n");
    Path input = Files.createTempFile("regionfs-lmdb", ".dump");
    try {
      Files.writeString(input, text);
      places.compare(
          "lmdb",
          List.of("db", "db-lock"),
          (here, there) -> {
            shell.run("mdb_load", "-n", "-f", input, here.resolve("db")).succeeded();
            String dumped = out("mdb_dump", "-n", "-p", here.resolve("db"));
            assertThat(out("mdb_dump", "-n", "-p", there.resolve("db"))).isEqualTo(dumped);
            return dumped + out("mdb_stat", "-n", there.resolve("db"));
          });
    } finally {
      Files.delete(input);
    }
  }

  /** It stores into the mapping itself, not with writes beside a mapping that is only read. */
  @Test
  void lmdbWritesThroughItsMapping() throws Exception {
    String python = pythonWith("lmdb");
    String open =
        "import lmdb, sys, hashlib; e = lmdb.open(sys.argv[1], 1 << 25, subdir=False, writemap=%s)\n";
    String fill =
        open.formatted("True")
            + """
              for n in range(20):
                  with e.begin(write=True) as t:
                      for i in range(n, 6000, 20):
                          t.put(b'%08d' % (i * 7919 % 100003), b'v' * (i % 700))
                      for i in range(n, 6000, 60):
                          t.delete(b'%08d' % (i * 7919 % 100003))
              e.sync(True)
              e.close()
              """;
    String show =
        open.formatted("False")
            + """
              h = hashlib.sha256()
              with e.begin() as t:
                  for k, v in t.cursor():
                      h.update(k + b'=' + v)
                  print(t.stat(), h.hexdigest())
              """;
    places.compare(
        "lmdb-writemap",
        List.of("db", "db-lock"),
        (here, there) -> {
          shell.run(python, "-c", fill, here.resolve("db")).succeeded();
          return out(python, "-c", show, here.resolve("db"))
              + out(python, "-c", show, there.resolve("db"));
        });
  }

  @Test
  void rUsesAMatrixOfAnotherHost() throws Exception {
    needs("Rscript");
    assumeThat(shell.run("Rscript", "-e", "library(ff)").exit())
        .as("R has the package ff")
        .isZero();
    String open =
        "suppressMessages(library(ff)); m <- ff(vmode='double', dim=c(800, 300), finalizer='close',"
            + " filename=commandArgs(TRUE)[1]);";
    String fill = open + "m[,] <- seq_len(240000) * 1.5; m[3,] <- m[4,] * 2; close(m)";
    String show =
        open + "x <- m[,]; cat(format(sum(x), digits=15), sum(x[3,]), x[800, 300], dim(x))";
    places.compare(
        "r",
        List.of("matrix"),
        (here, there) -> {
          try (FileChannel matrix = FileChannel.open(here.resolve("matrix"), READ, WRITE)) {
            matrix.map(MapMode.READ_WRITE, 0, 800 * 300 * Double.BYTES);
          }
          shell.run("Rscript", "-e", fill, here.resolve("matrix")).succeeded();
          return out("Rscript", "-e", show, there.resolve("matrix"));
        });
  }
}
