package io.regionfs.verbs.device;

import static io.regionfs.verbs.device.FakeHost.ip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CandidatesTest {
  private static final String ACTIVE = "4: ACTIVE";

  @TempDir private Path directory = Path.of("");
  private FakeHost host = new FakeHost(directory);

  @BeforeEach
  void aHostWithoutDevices() {
    host = new FakeHost(directory).address("lo", "127.0.0.1").address("eth0", "10.0.0.1");
  }

  private Candidates find(@Nullable String address, @Nullable String name) throws IOException {
    return Candidates.find(
        host.devices(),
        address == null ? null : ip(address),
        name == null ? null : DeviceName.parse(name));
  }

  private void assertRefused(@Nullable String address, @Nullable String name, String... words) {
    assertThatThrownBy(() -> find(address, name))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll(words)
        .satisfies(e -> assertThat(String.valueOf(e.getMessage()).lines()).hasSize(1));
  }

  @Test
  void theDeviceWhoseInterfaceHasTheAddressServesIt() throws IOException {
    host.address("eth1", "10.1.0.1").device("siw0", "siw", ACTIVE, "eth0");
    host.device("rxe1", "rxe", ACTIVE, "eth1", "eth1");
    assertThat(find("10.0.0.1", null).devices()).extracting(RdmaDevice::name).containsOnly("siw0");
    assertThat(find("10.1.0.1", null).devices()).extracting(RdmaDevice::name).containsOnly("rxe1");
    assertThat(find("10.1.0.1", "rxe1:1").devices()).hasSize(1);
    assertThat(find(null, "rxe1").address()).isEqualTo(ip("10.1.0.1"));
    assertRefused("10.0.0.1", "rxe1", "rxe1 does not serve 10.0.0.1", "eth0", "rxe1 (10.1.0.1)");
    assertRefused("127.0.0.1", null, "127.0.0.1", "10.0.0.1", "10.1.0.1");
  }

  @Test
  void anAddressMayBeLeftOutOfTheOnlyOrNamedDevice() throws IOException {
    host.device("siw0", "siw", ACTIVE, "eth0");
    assertThat(find(null, null).address()).isEqualTo(ip("10.0.0.1"));
    host.device("rxe0", "rxe", ACTIVE, "eth0");
    assertRefused(null, null, "several", "siw0 (10.0.0.1)", "rxe0 (10.0.0.1)", "--rdma-device");
    assertThat(find(null, "rxe0").address()).isEqualTo(ip("10.0.0.1"));
    host.address("eth0", "10.0.0.1", "10.0.0.2");
    assertRefused(null, "rxe0", "several addresses", "--listen", "10.0.0.1 10.0.0.2");
    host.address("eth0");
    assertRefused(null, "rxe0", "no IPv4 address", "ip addr add", "eth0");
  }

  @Test
  void twoDevicesMayServeOneAddress() throws IOException {
    host.device("siw0", "siw", ACTIVE, "eth0").device("rxe0", "rxe", ACTIVE, "eth0");
    assertThat(find("10.0.0.1", null).devices()).hasSize(2);
    assertThat(find("10.0.0.1", null).only()).isNull();
    assertThat(find("10.0.0.1", "rxe0").only()).extracting(RdmaDevice::name).isEqualTo("rxe0");
  }

  @Test
  void whatIsNotThereIsSaidWithItsCure() throws IOException {
    assertRefused("10.0.0.1", null, "no RDMA device", "rdma link add", "--fabric soft");
    host.device("siw0", "siw", ACTIVE, "eth0");
    assertRefused("10.9.9.9", null, "10.9.9.9", "no address of this host", "siw0 (10.0.0.1)");
    assertRefused("10.0.0.1", "mlx5_0", "mlx5_0", "siw0 (10.0.0.1)");
    assertRefused("10.0.0.1", "siw0:2", "siw0 has no port 2");
    host.address("eth2", "10.2.0.1");
    assertRefused("10.2.0.1", null, "no RDMA device serves 10.2.0.1", "eth2", "siw0 (10.0.0.1)");
  }

  @Test
  void aPortThatIsDownServesNothing() throws IOException {
    host.device("siw0", "siw", "1: DOWN", "eth0");
    assertRefused("10.0.0.1", null, "port 1", "siw0", "DOWN", "ip link set eth0 up");
    host.device("rxe0", "rxe", ACTIVE, "eth0");
    assertThat(find("10.0.0.1", null).only()).extracting(RdmaDevice::name).isEqualTo("rxe0");
  }

  @Test
  void infiniBandIsFoundByItsSiblings() throws IOException {
    host.address("ib0", "10.5.0.1").device("mlx5_0", "ib", ACTIVE, "ib0");
    assertThat(find("10.5.0.1", null).only()).extracting(RdmaDevice::name).isEqualTo("mlx5_0");
    assertThat(find(null, null).devices().get(0).ports().get(0).transport())
        .isEqualTo("InfiniBand");
  }

  @Test
  void aDeviceThatTellsNothingOfItsInterfacesIsTried() throws IOException {
    host.device("mlx5_0", "ib", ACTIVE);
    assertThat(find("10.0.0.1", null).only()).extracting(RdmaDevice::name).isEqualTo("mlx5_0");
    assertRefused("10.9.9.9", null, "10.9.9.9");
    assertRefused(null, null, "mlx5_0", "no IPv4 address", "--listen");
  }

  @Test
  void namesAreReadStrictly() {
    assertThat(DeviceName.parse("mlx5_0:2")).isEqualTo(new DeviceName("mlx5_0", 2));
    assertThat(DeviceName.parse("siw0")).hasToString("siw0");
    for (String wrong : new String[] {"", ":1", "a:", "a:0", "a:x", "../x", "a b", "a:1:2"}) {
      assertThatThrownBy(() -> DeviceName.parse(wrong))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
