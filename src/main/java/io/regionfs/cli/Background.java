package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Processes that go on after the command that started them: the same program once more, in a
 * session of its own, with {@link #OPTION}. Its stdout is a pipe to the command, on which it says
 * once how its start went; its log is a file, and so is its stderr, for what the JVM itself says.
 */
final class Background {
  /** Tells a process that it is the one in the background. */
  static final String OPTION = "--in-background";

  static final String LOG_FILE = "regionfs.log";
  private static final String STDERR_FILE = "stderr.log";
  private static final String READY = "ready";
  private static final String FAILED = "failed ";

  private Background() {}

  /**
   * A process that is ready.
   *
   * @param remark what it has to say about that; empty: nothing
   */
  record Started(long pid, String remark) {}

  /**
   * Starts the process and waits until it is ready.
   *
   * @param arguments of the program, command first
   * @throws CommandFailure with the process's own message if it fails to start
   */
  static Started start(List<String> arguments, Path stateDirectory) {
    List<String> command = new ArrayList<>(List.of("setsid", "--"));
    command.addAll(thisProgram());
    command.add(arguments.get(0));
    command.add(OPTION);
    command.addAll(arguments.subList(1, arguments.size()));
    Path stderr = stateDirectory.resolve(STDERR_FILE);
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(new File("/"))
              .redirectInput(new File("/dev/null"))
              .redirectError(stderr.toFile())
              .start();
      try (BufferedReader said =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        return outcome(process, said.readLine(), stateDirectory);
      }
    } catch (IOException e) {
      throw new CommandFailure("cannot start in the background: " + e.getMessage(), e);
    }
  }

  private static Started outcome(Process process, @Nullable String said, Path stateDirectory)
      throws IOException {
    if (said != null && said.startsWith(READY)) {
      return new Started(process.pid(), said.substring(READY.length()).strip());
    }
    if (said != null && said.startsWith(FAILED)) {
      throw new CommandFailure(said.substring(FAILED.length()));
    }
    String stderr = lastLine(stateDirectory.resolve(STDERR_FILE));
    throw new CommandFailure(
        "the process in the background ended before it was ready: "
            + (stderr.isEmpty() ? "see " + stateDirectory.resolve(LOG_FILE) : stderr));
  }

  private static String lastLine(Path file) throws IOException {
    List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
    return lines.isEmpty() ? "" : lines.get(lines.size() - 1).strip();
  }

  private static List<String> thisProgram() {
    String launcher = System.getProperty("regionfs.launcher");
    if (launcher != null) {
      return List.of(launcher);
    }
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Djava.library.path=" + System.getProperty("java.library.path"),
        "-cp",
        System.getProperty("java.class.path"),
        Main.class.getName());
  }

  /** Called by the process in the background, once: it is usable. */
  static void ready(String remark) {
    say(READY + " " + oneLine(remark));
  }

  /** Called by the process in the background, once: it gives up. */
  static void failed(String reason) {
    say(FAILED + oneLine(reason));
  }

  private static String oneLine(String text) {
    return text.replaceAll("\\s*\\R\\s*", " ");
  }

  private static void say(String line) {
    PrintStream out = System.out;
    out.println(line);
    out.flush();
    out.close(); // the reader may be waiting for the end; the JVM puts /dev/null in its place
  }
}
