package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** flock(2) and fcntl(2) by programs, through a real mount. */
class LocksIT extends FuseMountFixture {
  private static final int SECONDS = 60;

  /** What every program begins with: fcntl by its numbers, with the OFD commands. */
  private static final String PROLOGUE =
      """
      import errno, fcntl, os, signal, struct, sys, time
      GETLK, SETLK, SETLKW, OFD_GETLK, OFD_SETLK, OFD_SETLKW = 5, 6, 7, 36, 37, 38
      READ, WRITE, UNLOCK = 0, 1, 2
      def fcntl_lock(f, command, kind, first=0, length=0):
          r = fcntl.fcntl(f, command, struct.pack('hhqqixxxx', kind, 0, first, length, 0))
          return struct.unpack('hhqqixxxx', r)
      def refused(f, command, kind, first=0, length=0):
          try: fcntl_lock(f, command, kind, first, length)
          except OSError as e: return e.errno in (errno.EAGAIN, errno.EACCES)
          return False
      f = os.open('f', os.O_RDWR)
      def say(what): print(what, flush=True)
      """;

  /** However many wait for a lock. */
  int fewThreads() {
    return 20;
  }

  @Override
  FuseOptions options() {
    return FuseOptions.defaults().withMaxThreads(2);
  }

  @BeforeEach
  void makeFile() throws IOException {
    assumeTrue(Shell.has("python3") && Shell.has("flock"), "skipped: no python3 or no flock");
    Files.createFile(directory.resolve("f"));
  }

  private Process start(String program) throws IOException {
    return new ProcessBuilder("python3", "-c", PROLOGUE + program)
        .directory(directory.toFile())
        .redirectErrorStream(true)
        .start();
  }

  private static String line(Process process) throws IOException {
    // One line at a time: what comes later is for the next reader.
    StringBuilder line = new StringBuilder();
    for (int c = process.getInputStream().read();
        c >= 0 && c != '\n';
        c = process.getInputStream().read()) {
      line.append((char) c);
    }
    return line.toString();
  }

  private String python(String program) throws Exception {
    Process process = start(program);
    String output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
            .lines()
            .reduce("", (a, b) -> a + b + "\n");
    assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output.strip();
  }

  /** A process that holds what the program locks until {@link #end}. */
  private Process holder(String program) throws IOException {
    Process holder = start(program + "\nsay('held')\nsys.stdin.read()\n");
    assertThat(line(holder)).isEqualTo("held");
    return holder;
  }

  private static void end(Process process) throws Exception {
    process.getOutputStream().close();
    assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  private static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(deadline);
      LockSupport.parkNanos(5_000_000);
    }
  }

  @Test
  void flockExcludesAndShares() throws Exception {
    Process holder = holder("fcntl.flock(f, fcntl.LOCK_SH)");
    shell.sh("flock -n -s f true");
    assertThat(shell.run("flock -n f true").status()).isEqualTo(1);
    assertThat(python("say(refused(f, SETLK, WRITE))")).as("of another kind").isEqualTo("False");
    end(holder);
    shell.sh("flock -w 30 f true"); // the kernel tells of the end after it
  }

  @Test
  void flockWaitsAndAUnlockEndsThat() throws Exception {
    Process holder = holder("fcntl.flock(f, fcntl.LOCK_EX)");
    Process waiter = start("say('waits'); fcntl.flock(f, fcntl.LOCK_EX); say('has it')");
    assertThat(line(waiter)).isEqualTo("waits");
    await("a thread waits", () -> waiting() == 1);
    assertThat(waiter.isAlive()).isTrue();
    end(holder);
    assertThat(line(waiter)).isEqualTo("has it");
    end(waiter);
  }

  private static int waiting() {
    return (int)
        Thread.getAllStackTraces().entrySet().stream()
            .filter(entry -> entry.getKey().getName().startsWith("fuse-lock-"))
            .filter(
                entry ->
                    List.of(entry.getValue()).stream()
                        .anyMatch(frame -> frame.getClassName().equals(LockWait.class.getName())))
            .count();
  }

  @Test
  void rangesOfBytes() throws Exception {
    Process holder =
        holder("fcntl_lock(f, SETLK, WRITE, 10, 10); fcntl_lock(f, SETLK, READ, 30, 0)");
    assertThat(
            python(
                """
                say(refused(f, SETLK, READ, 19, 1))
                say(refused(f, SETLK, WRITE, 0, 10))
                say(refused(f, SETLK, WRITE, 20, 10))
                say(refused(f, SETLK, READ, 100, 0))
                say(refused(f, SETLK, WRITE, 1 << 62, 1))
                found = fcntl_lock(f, GETLK, WRITE, 0, 0)
                say(found[0] == WRITE and found[2:4] == (10, 10) and found[4] == %d)
                found = fcntl_lock(f, GETLK, WRITE, 25, 0)
                say((found[0], found[2], found[3]))
                say(fcntl_lock(f, GETLK, READ, 30, 0)[0] == UNLOCK)
                """
                    .formatted(holder.pid())))
        .isEqualTo("True\nFalse\nFalse\nFalse\nTrue\nTrue\n(0, 30, 0)\nTrue");
    end(holder);
    assertThat(python("say(fcntl_lock(f, GETLK, WRITE)[0] == UNLOCK)")).isEqualTo("True");
  }

  /** POSIX locks are the process's: closing any descriptor of the file ends them. */
  @Test
  void closingADescriptorEndsPosixLocks() throws Exception {
    Process holder =
        holder("fcntl_lock(f, SETLK, WRITE)\ng = os.open('f', os.O_RDONLY)\nos.close(g)");
    assertThat(python("say(refused(f, SETLK, WRITE))")).isEqualTo("False");
    end(holder);
  }

  /** The kernel sends no unlock for them: the last close of the description ends them. */
  @Test
  void locksOfOpenFileDescriptions() throws Exception {
    Process holder =
        holder(
            """
            fcntl_lock(f, OFD_SETLK, WRITE, 0, 100)
            g = os.open('f', os.O_RDWR)
            assert refused(g, OFD_SETLK, READ, 50, 1)
            assert fcntl_lock(g, OFD_GETLK, READ, 50, 1)[4] == -1
            h = os.dup(f)
            os.close(f)
            os.close(g)
            assert not refused(h, OFD_SETLK, WRITE, 200, 10)
            """);
    assertThat(python("say(refused(f, SETLK, WRITE, 0, 1)); say(refused(f, SETLK, READ, 205, 1))"))
        .isEqualTo("True\nTrue");
    Process waiter = start("fcntl_lock(f, OFD_SETLKW, WRITE); say('has it')");
    await("a thread waits", () -> waiting() == 1);
    end(holder);
    assertThat(line(waiter)).isEqualTo("has it");
    end(waiter);
  }

  @Test
  void aKilledHolderHoldsNothing() throws Exception {
    for (String lock :
        List.of(
            "fcntl.flock(f, fcntl.LOCK_EX)",
            "fcntl_lock(f, SETLK, WRITE)",
            "fcntl_lock(f, OFD_SETLK, WRITE)")) {
      Process holder = holder(lock);
      Process waiter = start(lock.replace("SETLK", "SETLKW") + "; say('has it')");
      await("a thread waits", () -> waiting() == 1);
      holder.destroyForcibly();
      assertThat(line(waiter)).as(lock).isEqualTo("has it");
      end(waiter);
    }
  }

  @Test
  void aSignalEndsTheWaiting() throws Exception {
    Process holder = holder("fcntl_lock(f, SETLK, WRITE)");
    Process waiter =
        start(
            """
            class Alarm(Exception): pass
            def alarm(n, frame): raise Alarm
            signal.signal(signal.SIGALRM, alarm)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            try: fcntl_lock(f, SETLKW, WRITE)
            except Alarm: say('interrupted')
            """);
    assertThat(line(waiter)).isEqualTo("interrupted");
    end(waiter);
    Process killed = start("fcntl_lock(f, SETLKW, WRITE)");
    await("a thread waits", () -> waiting() == 1);
    killed.destroyForcibly();
    assertThat(killed.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
    await("none waits", () -> waiting() == 0);
    end(holder);
    assertThat(python("say(refused(f, SETLK, WRITE))")).isEqualTo("False");
  }

  /** They are served by two threads. */
  @Test
  void twoHundredWaitingProcessesBlockNobody() throws Exception {
    Process holder = holder("fcntl.flock(f, fcntl.LOCK_EX)");
    int waiters = 200;
    Process many =
        start(
            """
            pids = []
            for i in range(%d):
                pid = os.fork()
                if pid == 0:
                    g = os.open('f', os.O_RDWR)
                    fcntl.flock(g, fcntl.LOCK_EX); os._exit(0)
                pids.append(pid)
            say('started')
            say(sum(os.waitpid(pid, 0)[1] for pid in pids))
            """
                .formatted(waiters));
    assertThat(line(many)).isEqualTo("started");
    await("all wait", () -> waiting() == waiters);
    TimeUnit.MILLISECONDS.sleep(Interrupts.GRACE.toMillis() + 100);
    assertThat(shell.sh("echo x > other; cat other; flock -n other true")).isEqualTo("x");
    assertThat(mount.threads()).as("threads that serve").isLessThan(fewThreads());
    end(holder);
    assertThat(line(many)).isEqualTo("0");
    end(many);
  }

  @Test
  void unmountingEndsTheWaiting() throws Exception {
    Process holder = holder("fcntl.flock(f, fcntl.LOCK_EX)");
    List<Process> waiters = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      waiters.add(
          start(
              """
              try: fcntl.flock(f, fcntl.LOCK_EX)
              except OSError as e: say(e.errno == errno.ENOTCONN)
              """));
    }
    await("all wait", () -> waiting() == 3);
    mount.close();
    for (Process waiter : waiters) {
      assertThat(line(waiter)).isEqualTo("True");
      assertThat(waiter.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
    }
    holder.destroyForcibly();
    assertThat(holder.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
  }
}
