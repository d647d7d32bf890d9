package io.regionfs.fuse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Runs shell commands in a directory. */
final class Shell {
  private static final int SECONDS = 120;

  private final Path directory;

  Shell(Path directory) {
    this.directory = directory;
  }

  record Result(int status, String output) {}

  /** Standard output and error of a command, however it ends. */
  Result run(String command) {
    try {
      Process process = start(command);
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError(command + " does not end");
      }
      return new Result(process.exitValue(), output.strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(command + " was interrupted", e);
    }
  }

  /** The output of a command that has to succeed. */
  String sh(String command) {
    Result result = run(command);
    if (result.status != 0) {
      throw new AssertionError(command + " ended with " + result.status + ": " + result.output);
    }
    return result.output;
  }

  Process start(String command) throws IOException {
    return new ProcessBuilder("bash", "-c", command)
        .directory(directory.toFile())
        .redirectErrorStream(true)
        .start();
  }

  static boolean has(String program) {
    return new Shell(Path.of("/")).run("command -v " + program).status == 0;
  }
}
