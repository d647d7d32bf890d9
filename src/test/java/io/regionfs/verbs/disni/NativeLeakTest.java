package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;

import com.ibm.disni.verbs.IbvMr;
import com.ibm.disni.verbs.IbvSendWR;
import io.regionfs.verbs.VerbsPair;
import io.regionfs.verbs.VerbsPeer;
import io.regionfs.verbs.VerbsPeer.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Connections come and go, and leave nothing behind: not in the kernel, not in files, not in
 * memory. How many is the system property regionfs.leak.cycles.
 */
@Tag("rdma")
@EnabledIfSystemProperty(
    named = NativeDeviceUnderTest.ADDRESS,
    matches = ".+",
    disabledReason = NativeDeviceUnderTest.NONE)
class NativeLeakTest {
  private static final int WARM_UP = 100;

  /** What a heap that is never quite the same, and lazily compiled code, may add. */
  private static final long SLACK_BYTES = 24L << 20;

  private final ByteBuffer bytes = ByteBuffer.allocateDirect(4096);

  /** What is there at a time, after a collection. */
  private record Use(String device, List<String> files, long residentBytes) {}

  private static Use use() throws IOException, InterruptedException {
    System.gc();
    Process rdma = new ProcessBuilder("rdma", "resource", "show").redirectErrorStream(true).start();
    rdma.getOutputStream().close();
    String shown;
    try (InputStream output = rdma.getInputStream()) {
      shown = new String(output.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertThat(rdma.waitFor()).as(shown).isZero();
    List<String> files;
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      files =
          open.map(NativeLeakTest::target)
              .filter(file -> file.contains("infiniband")) // the JVM opens and closes others
              .sorted()
              .toList();
    }
    long resident =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith("VmRSS:"))
            .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
            .sum();
    return new Use(shown, files, resident);
  }

  /** What an open file is, but for the numbers of pipes and the like. */
  private static String target(Path file) {
    try {
      return Files.readSymbolicLink(file).toString().replaceAll("\\[[0-9]+]", "");
    } catch (IOException gone) {
      return "closed meanwhile";
    }
  }

  private void cycle(int number) throws IOException {
    try (VerbsPair pair =
        new VerbsPair(
            NativeDeviceUnderTest.cm(), NativeDeviceUnderTest.address(), Shape.usual(), 7)) {
      IbvMr local = pair.client.register(bytes, IbvMr.IBV_ACCESS_LOCAL_WRITE);
      IbvMr remote = pair.server.register(bytes, IbvMr.IBV_ACCESS_REMOTE_READ);
      pair.client.post(
          VerbsPeer.at(
              VerbsPeer.request(number, IbvSendWR.IBV_WR_RDMA_READ, VerbsPeer.piece(local, 0, 64)),
              remote.getAddr() + 1024,
              remote.getRkey()));
      pair.client.expect(number);
      if (number % 2 == 0) { // else the server learns it from the end of the queue pair
        pair.client.id.disconnect();
      }
    }
  }

  @Test
  void connectionsLeaveNothingBehind(TestReporter report) throws IOException, InterruptedException {
    int cycles = Integer.getInteger(DeviceLeakTest.CYCLES, 300);
    for (int i = 0; i < WARM_UP; i++) {
      cycle(i);
    }
    use(); // opens what looking opens
    Use before = use();
    for (int i = 0; i < cycles; i++) {
      cycle(i);
    }
    Use after = use();
    report.publishEntry("before " + cycles + " connections", before.toString());
    report.publishEntry("after them", after.toString());
    assertThat(after.device()).isEqualTo(before.device());
    assertThat(after.files()).isEqualTo(before.files());
    assertThat(after.residentBytes()).isLessThan(before.residentBytes() + SLACK_BYTES);
  }
}
