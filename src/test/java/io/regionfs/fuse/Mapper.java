package io.regionfs.fuse;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * A process that has a file mapped and touches it as it is told. Never this process: a page fault
 * that it has to answer itself may wait for ever, since no thread stops for the collector in it.
 */
final class Mapper implements AutoCloseable {
  private static final int SECONDS = 60;

  private static final String PROGRAM =
      """
      import mmap, os, sys
      f = os.open(sys.argv[1], os.O_RDWR)
      m = mmap.mmap(f, int(sys.argv[2]))
      print('mapped', flush=True)
      for line in sys.stdin:
          what, *args = line.split()
          if what == 'store':
              m[int(args[0])] = int(args[1]); print('ok', flush=True)
          elif what == 'load':
              print(m[int(args[0])], flush=True)
          elif what == 'fill':
              for at in range(0, len(m), 4096): m[at] = int(args[0])
              print('ok', flush=True)
          elif what == 'sync':
              m.flush(); print('ok', flush=True)
          elif what == 'pwrite':
              os.pwrite(f, bytes([int(args[1])]), int(args[0])); print('ok', flush=True)
          elif what == 'pread':
              print(os.pread(f, 1, int(args[0]))[0], flush=True)
      """;

  private final Process process;
  private final BufferedWriter in;
  private final BufferedReader out;

  /** Maps the first {@code bytes} of the file, shared, for reading and writing. */
  Mapper(Path file, long bytes) throws IOException {
    process =
        new ProcessBuilder("python3", "-c", PROGRAM, file.toString(), Long.toString(bytes))
            .redirectErrorStream(true)
            .start();
    in =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
    out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    expect("mapped");
  }

  private String ask(String command) {
    try {
      in.write(command + "\n");
      in.flush();
      String answer = out.readLine();
      if (answer == null) {
        throw new AssertionError(command + ": the process ended with " + status());
      }
      return answer;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void expect(String answer) throws IOException {
    String line = out.readLine();
    if (!answer.equals(line)) {
      throw new AssertionError("instead of " + answer + ": " + line);
    }
  }

  void store(long at, int value) {
    ask("store " + at + " " + value);
  }

  int load(long at) {
    return Integer.parseInt(ask("load " + at));
  }

  /** Stores the value into the first byte of every page. */
  void fill(int value) {
    ask("fill " + value);
  }

  /** msync(2). */
  void sync() {
    ask("sync");
  }

  void write(long at, int value) {
    ask("pwrite " + at + " " + value);
  }

  int read(long at) {
    return Integer.parseInt(ask("pread " + at));
  }

  /** The exit status, of which 128 + n stands for signal n, once it has ended. */
  int status() {
    try {
      if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("the process does not end");
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** Sends a command whose answer never comes; for what ends the process. */
  int statusAfter(String command) throws IOException {
    in.write(command + "\n");
    in.flush();
    return status();
  }

  @Override
  public void close() {
    process.destroyForcibly();
    int unused = status();
  }
}
