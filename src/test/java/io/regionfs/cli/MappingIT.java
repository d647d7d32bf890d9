package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What programs see whose mappings cannot be served: errors, once, and never a hang. */
class MappingIT extends SharedCluster {
  private static final int SIGBUS = 7;
  private static final int MIB = 1 << 20;

  /** The lease of a home that is gone, and a margin. */
  private static final long SECONDS = 20L * Integer.getInteger("regionfs.test.patience", 1);

  @BeforeAll
  void requirePython() throws Exception {
    boolean python = cluster.shell.run("sh", "-c", "command -v python3").exit() == 0;
    assumeThat(python).as("python3, to map files in processes of their own").isTrue();
  }

  /** A file at home on the first host. */
  private String make(String name, int bytes) throws IOException {
    Files.write(cluster.mnt(1).resolve(name), new byte[bytes]);
    return name;
  }

  /** Starts a program on a file as a host sees it: f is its descriptor, m its mapping. */
  private Process start(int host, String name, String program) throws IOException {
    String begin =
        """
        import mmap, os, sys
        f = os.open(sys.argv[1], os.O_RDWR)
        m = mmap.mmap(f, 0)
        def say(what): print(what, flush=True)
        def failure(call):
            try:
                call(); return 'none'
            except OSError as e:
                return os.strerror(e.errno)
        """;
    return cluster.shell.startWithInput(
        "python3", "-c", begin + program, cluster.mnt(host).resolve(name));
  }

  private static int exit(Process process) throws InterruptedException {
    try {
      assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).as("it ends").isTrue();
      return process.exitValue();
    } finally {
      process.destroyForcibly();
    }
  }

  private static String line(Process process) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = process.getInputStream().read(); c > '\n'; c = process.getInputStream().read()) {
      line.append((char) c);
    }
    return line.toString();
  }

  private static void tell(Process process, String what) throws IOException {
    process.getOutputStream().write((what + "\n").getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
  }

  @Test
  void beyondTheEndIsABusErrorOnTheHomeAndElsewhere() throws Exception {
    for (int host = 1; host <= 2; host++) {
      String name = make("end-" + host, 3 * 4096);
      Process mapper = start(host, name, "os.ftruncate(f, 10)\nsay(m[5])\nm[8192]\nsay('no')\n");
      assertThat(line(mapper)).isEqualTo("0");
      assertThat(exit(mapper)).isEqualTo(128 + SIGBUS);
    }
  }

  @Test
  void aHomeThatIsGoneIsABusErrorAndAnErrorOfMsyncAndNoHang() throws Exception {
    String name = make("gone", 8 * MIB);
    Process reader = start(2, name, "say(m[0])\nsys.stdin.readline()\nm[7000000]\nsay('no')\n");
    Process writer =
        start(
            2,
            name,
            """
            m[4096] = 7
            say('stored')
            sys.stdin.readline()
            m[8192] = 8
            say('changed')
            sys.stdin.readline()
            say(failure(m.flush))
            """);
    assertThat(line(reader)).isEqualTo("0");
    assertThat(line(writer)).isEqualTo("stored");
    // So that touching it is a fault.
    Path file = cluster.mnt(2).resolve(name);
    cluster.shell.regionfs("refresh", file).succeeded();
    tell(writer, "change");
    assertThat(line(writer)).isEqualTo("changed");
    cluster.cluster("kill", 1).succeeded();
    try {
      tell(reader, "go");
      tell(writer, "go");
      assertThat(exit(reader)).isEqualTo(128 + SIGBUS);
      assertThat(line(writer)).isEqualTo("Input/output error");
      assertThat(exit(writer)).isZero();
    } finally {
      cluster.cluster("start", 1).succeeded();
    }
    Process again = start(2, name, "say(m[4096])\nm[0] = 9\nsay(failure(m.flush))\n");
    assertThat(line(again)).isEqualTo("7");
    assertThat(line(again)).isEqualTo("none");
    assertThat(exit(again)).isZero();
    assertThat(Files.readAllBytes(cluster.mnt(1).resolve(name))[0]).isEqualTo((byte) 9);
  }
}
