package io.regionfs.verbs.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a process needs to use a device. */
class RequirementsTest {
  @TempDir private Path root = Path.of("");

  private MemoryLock lock(String limit, String capabilities) throws IOException {
    new FakeHost(root)
        .file(
            "proc/self/limits",
            "Limit                     Soft Limit           Hard Limit           Units\n"
                + "Max locked memory         "
                + limit
                + "                "
                + limit
                + "                bytes")
        .file("proc/self/status", "Name:\tjava\nCapEff:\t" + capabilities);
    return MemoryLock.of(root);
  }

  @Test
  void theLimitOfLockedMemoryCountsUnlessPrivileged() throws IOException {
    MemoryLock tiny = lock("65536", "0000000000000000");
    assertThat(tiny.isTiny()).isTrue();
    assertThat(tiny.lockableBytes()).isEqualTo(64 << 10);
    assertThat(tiny.text()).contains("64 KiB", "ulimit -l");
    assertThat(lock("65536", "000001ffffffffff").isTiny()).isFalse();
    assertThat(lock("65536", "0000000000004000").lockableBytes()).isEqualTo(Long.MAX_VALUE);
    assertThat(lock("65536", "ffffffffffffbfff").isTiny()).isTrue();
    assertThat(lock("unlimited", "0000000000000000").isTiny()).isFalse();
    assertThat(lock("1073741824", "0000000000000000").isTiny()).isFalse();
  }

  @Test
  void missingLibrariesAreNamedWithTheirPackages() throws IOException {
    Libraries libraries = new Libraries(root, Map.of());
    assertThat(libraries.missing()).contains("libibverbs.so.1", "apt-get install libibverbs1");
    new FakeHost(root).file("usr/lib/x86_64-linux-gnu/libibverbs.so.1", "");
    assertThat(libraries.missing()).contains("librdmacm.so.1", "apt-get install librdmacm1");
    new FakeHost(root).file("opt/rdma/librdmacm.so.1", "");
    assertThat(new Libraries(root, Map.of("LD_LIBRARY_PATH", "/opt/rdma")).missing()).isEmpty();
  }

  @Test
  void deviceFilesMustBeThere() throws IOException {
    FakeHost host = new FakeHost(root).device("siw0", "siw", "4: ACTIVE", "eth0");
    RdmaDevice device = host.devices().all().get(0);
    assertThat(device.node()).isEqualTo("uverbs0");
    DeviceFiles files = new DeviceFiles(root);
    assertThatCode(() -> files.check(device)).doesNotThrowAnyException();
    Files.delete(root.resolve("dev/infiniband/rdma_cm"));
    assertThatThrownBy(() -> files.check(device))
        .hasMessageContainingAll("/dev/infiniband/rdma_cm", "modprobe rdma_ucm");
    host.file("dev/infiniband/rdma_cm", "");
    Files.delete(root.resolve("dev/infiniband/uverbs0"));
    assertThatThrownBy(() -> files.check(device))
        .hasMessageContainingAll("/dev/infiniband/uverbs0", "--device /dev/infiniband");
  }
}
