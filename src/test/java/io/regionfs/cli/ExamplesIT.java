package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs of docs/examples, as their README has them run. */
class ExamplesIT {
  private static final Path EXAMPLES = Shell.TOP.resolve("docs/examples");

  @TempDir private Path built;

  @SuppressWarnings("NullAway.Init") // set before the first test
  ExamplesIT() {}

  @Test
  @SuppressWarnings("try") // an interrupt while the cluster goes down ends the test
  void aBorrowerUsesTheMemoryOfAnOwner() throws Exception {
    try (ClusterFixture cluster = new ClusterFixture(2)) {
      boolean c = has(cluster, "cc");
      boolean python = has(cluster, "python3");
      assumeThat(c || python).as("cc or python3, to run the examples").isTrue();
      if (c) {
        compile(cluster, "owner");
        compile(cluster, "borrower");
        meet(cluster, "c", new Object[] {built.resolve("owner")}, built.resolve("borrower"));
      }
      if (python) {
        Path owner = EXAMPLES.resolve("owner.py");
        meet(
            cluster,
            "py",
            new Object[] {"python3", owner},
            "python3",
            EXAMPLES.resolve("borrower.py"));
      }
    }
  }

  private static boolean has(ClusterFixture cluster, String program) throws Exception {
    return cluster.shell.run("sh", "-c", "command -v " + program).exit() == 0;
  }

  private void compile(ClusterFixture cluster, String name) throws Exception {
    cluster
        .shell
        .run(
            "cc",
            "-Wall",
            "-Werror",
            "-O2",
            "-o",
            built.resolve(name),
            EXAMPLES.resolve(name + ".c"))
        .succeeded();
  }

  private static void meet(
      ClusterFixture cluster, String name, Object[] ownerProgram, Object... borrowerProgram)
      throws Exception {
    Process owner = cluster.start(1, with(ownerProgram, cluster.mnt(1).resolve(name)));
    try {
      Path borrowed = cluster.mnt(2).resolve(name);
      Shell.await("the owner has stored", () -> firstByte(borrowed) == 42);
      Shell.Result result = cluster.exec(2, with(borrowerProgram, borrowed));
      assertThat(result.succeeded().out()).isEqualTo("borrower: stored 84\n");
      assertThat(owner.waitFor(Shell.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(new String(owner.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .isEqualTo("owner: a borrower stored 84\n");
    } finally {
      owner.descendants().forEach(ProcessHandle::destroyForcibly);
      owner.destroyForcibly();
    }
  }

  private static Object[] with(Object[] program, Path file) {
    Object[] all = Arrays.copyOf(program, program.length + 1);
    all[program.length] = file;
    return all;
  }

  private static int firstByte(Path path) {
    if (!Files.exists(path)) {
      return -1;
    }
    try (FileChannel file = FileChannel.open(path)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      return file.read(one, 0) == 1 ? one.get(0) : -1;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
