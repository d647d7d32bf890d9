package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Runs commands as a user would, with a deadline that only a hang can miss. */
final class Shell {
  static final Duration PATIENCE = patience(Duration.ofMinutes(2));

  /** The repository: Maven runs the tests in it. */
  static final Path TOP = Path.of("").toAbsolutePath();

  static final Path REGIONFS = TOP.resolve("scripts/regionfs");

  private final Map<String, String> environment;

  /**
   * How long to wait on this machine for what takes so long on others: the system property
   * regionfs.test.patience is how many times as long.
   */
  static Duration patience(Duration elsewhere) {
    return elsewhere.multipliedBy(Integer.getInteger("regionfs.test.patience", 1));
  }

  Shell(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  /** How a command ended. */
  record Result(int exit, String out, String err) {
    Result succeeded() {
      assertThat(exit).as("exit code; out: %s err: %s", out, err).isZero();
      return this;
    }
  }

  Process start(Object... command) throws IOException {
    return builder(command)
        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
        .start();
  }

  /** With a standard input that the caller closes, and errors to this process's. */
  Process startWithInput(Object... command) throws IOException {
    return builder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private ProcessBuilder builder(Object... command) {
    List<String> words = new ArrayList<>();
    for (Object word : command) {
      words.add(word.toString());
    }
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.environment().putAll(environment);
    return builder;
  }

  Result run(Object... command) throws IOException, InterruptedException {
    Process process = start(command);
    CompletableFuture<String> out = read(process.getInputStream());
    CompletableFuture<String> err = read(process.getErrorStream());
    if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      throw new AssertionError("it hangs: " + List.of(command));
    }
    return new Result(process.exitValue(), out.join(), err.join());
  }

  private static CompletableFuture<String> read(InputStream stream) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        task -> {
          Thread thread = new Thread(task, "command-output");
          thread.setDaemon(true);
          thread.start();
        });
  }

  Result regionfs(Object... arguments) throws IOException, InterruptedException {
    Object[] command = new Object[arguments.length + 1];
    command[0] = REGIONFS;
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    return run(command);
  }

  /** Polls until it holds. */
  static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("still not so after " + PATIENCE.toSeconds() + " s: " + what);
      }
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }
}
