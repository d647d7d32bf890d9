package io.regionfs.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.cli.doctor.Finding.Verdict;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.device.FakeHost;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RdmaChecksTest {
  private static final String LIBRARIES = "usr/lib/x86_64-linux-gnu/";

  @TempDir private Path directory = Path.of("");
  private FakeHost host = new FakeHost(directory);

  @BeforeEach
  void aMachineThatHasAllButADevice() throws IOException {
    host = new FakeHost(directory).address("eth0", "10.0.0.1").address("eth1");
    host.file(LIBRARIES + "libibverbs.so.1", "").file(LIBRARIES + "librdmacm.so.1", "");
    host.file("etc/libibverbs.d/siw.driver", "driver siw");
    for (String path : System.getProperty("java.library.path", "").split(":", -1)) {
      if (path.startsWith("/")) {
        host.file(path.substring(1) + "/" + System.mapLibraryName("disni"), "");
      }
    }
    memoryLock("unlimited");
  }

  private void memoryLock(String limit) throws IOException {
    host.file("proc/self/limits", "Max locked memory         " + limit + "   unlimited   bytes");
    host.file("proc/self/status", "CapEff:\t0000000000000000");
  }

  private static DeviceLimits limits(String name) {
    return new DeviceLimits(
        name, 1, "iWARP", Atomics.NONE, 1000, 1 << 30, 1024, 4096, 16, 80, 4096, false);
  }

  private List<Finding> examine() {
    Machine machine = new Machine(directory, 1000, Map.of());
    return new RdmaChecks(machine, host.devices(), (device, address) -> limits(device.name()))
        .examine();
  }

  private Finding finding(String check) {
    return examine().stream().filter(f -> f.check().equals(check)).findFirst().orElseThrow();
  }

  private void assertWarned(String check, String found, String advice) {
    Finding finding = finding(check);
    assertThat(finding.verdict()).as("%s", finding).isEqualTo(Verdict.WARN);
    assertThat(finding.found()).contains(found);
    assertThat(finding.advice()).contains(advice);
  }

  @Test
  void withoutADeviceNothingIsAmiss() throws IOException {
    memoryLock("65536");
    assertThat(examine()).allSatisfy(f -> assertThat(f.verdict()).isEqualTo(Verdict.OK));
    assertThat(finding("rdma").found()).contains("software");
  }

  @Test
  void aUsableDeviceIsDescribed() throws IOException {
    host.device("siw0", "siw", "4: ACTIVE", "eth0");
    assertThat(examine()).allSatisfy(f -> assertThat(f.verdict()).isEqualTo(Verdict.OK));
    assertThat(finding("rdma siw0").found())
        .contains("port 1 iWARP ACTIVE, eth0, 10.0.0.1", "atomics: none", "no paging on demand");
  }

  @Test
  void whatADeviceLacksIsNamed() throws IOException {
    host.device("siw0", "siw", "1: DOWN", "eth0").device("rxe1", "rxe", "4: ACTIVE", "eth1");
    assertWarned("rdma siw0", "DOWN", "ip link set eth0 up");
    assertWarned("rdma rxe1", "no IPv4 address", "ip addr add ADDRESS/BITS dev eth1");
  }

  @Test
  void whatTheMachineLacksIsNamed() throws IOException {
    FakeHost bare = new FakeHost(directory.resolve("bare"));
    bare.address("eth0", "10.0.0.1").device("siw0", "siw", "4: ACTIVE", "eth0");
    bare.file("proc/self/limits", "Max locked memory         65536   65536   bytes");
    bare.file("proc/self/status", "CapEff:\t0000000000000000");
    Machine machine = new Machine(directory.resolve("bare"), 1000, Map.of());
    RdmaChecks.Question never =
        (device, address) -> {
          throw new AssertionError("asked without libraries");
        };
    List<Finding> findings = new RdmaChecks(machine, bare.devices(), never).examine();
    assertThat(findings)
        .filteredOn(f -> f.verdict() == Verdict.WARN)
        .extracting(Finding::check)
        .containsExactly("rdma library", "rdma driver", "libdisni", "memlock");
    assertThat(findings.toString())
        .contains(
            "apt-get install libibverbs1",
            "apt-get install ibverbs-providers",
            "scripts/setup",
            "64 KiB (ulimit -l)",
            "LimitMEMLOCK");
  }

  @Test
  void aRefusalOfTheDeviceIsPassedOn() throws IOException {
    host.device("siw0", "siw", "4: ACTIVE", "eth0");
    Machine machine = new Machine(directory, 1000, Map.of());
    RdmaChecks.Question refuses =
        (device, address) -> {
          throw new IOException("it is broken: buy another");
        };
    assertThat(new RdmaChecks(machine, host.devices(), refuses).examine())
        .anySatisfy(
            f -> {
              assertThat(f.found()).contains("it is broken");
              assertThat(f.advice()).isEqualTo("buy another");
            });
  }
}
