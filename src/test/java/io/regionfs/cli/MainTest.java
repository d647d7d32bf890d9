package io.regionfs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.daemon.Json;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path directory = Path.of("");

  private int run(String... arguments) {
    CommandLine line = Main.commandLine();
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return line.execute(arguments);
  }

  @Test
  void helpAndVersionAreAnswers() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString()).contains("mount", "umount", "status", "doctor", "Exit codes");
    assertThat(run("--version")).isZero();
    assertThat(run("help", "umount")).isZero();
    assertThat(run("umount", "--help")).isZero();
    assertThat(run("completion")).isZero();
    assertThat(out.toString()).contains("complete -F");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void aWrongCommandLineIsSaidInOneLine() {
    for (String[] wrong :
        new String[][] {{}, {"mout"}, {"umount"}, {"status", "--jsno"}, {"umount", "a", "b"}}) {
      err.getBuffer().setLength(0);
      assertThat(run(wrong)).as(String.join(" ", wrong)).isEqualTo(2);
      assertThat(err.toString().lines()).hasSize(1);
      assertThat(err.toString()).contains("--help");
    }
  }

  @Test
  void whatCannotBeDoneIsSaidInOneLine() {
    assertThat(run("umount", directory.toString())).isEqualTo(1);
    assertThat(err.toString().lines()).hasSize(1);
    assertThat(err.toString()).startsWith("regionfs umount: " + directory);
    err.getBuffer().setLength(0);
    assertThat(run("region", directory.resolve("missing").toString())).isEqualTo(1);
    assertThat(err.toString()).contains("no such file");
  }

  @Test
  void doctorAnswersInJson() {
    assertThat(run("doctor", "--json")).isBetween(0, 1);
    assertThat(Json.parseObject(out.toString().strip())).containsKeys("usable", "checks");
  }

  @Test
  void doctorChecksTheOptionsOfAMount() {
    assertThat(run("doctor", "--listen", "192.0.2.1")).isEqualTo(1);
    assertThat(out.toString()).contains("192.0.2.1 is no address of this host");
    assertThat(run("doctor", "--rdma-device", "nothing")).isEqualTo(1);
    assertThat(out.toString()).contains("fail  fabric", "no RDMA device");
    assertThat(run("doctor", "--listen", "0.0.0.0")).isEqualTo(2);
  }
}
