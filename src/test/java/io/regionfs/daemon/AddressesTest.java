package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import org.junit.jupiter.api.Test;

class AddressesTest {
  @Test
  void readsServices() {
    assertThat(Addresses.service("10.1.2.3:7470"))
        .isEqualTo(new InetSocketAddress("10.1.2.3", 7470));
    for (String wrong :
        List.of("", "10.1.2.3", ":7470", "10.1.2.3:0", "10.1.2.3:65536", "[::1]:7470", "a:b")) {
      assertThatThrownBy(() -> Addresses.service(wrong))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void listensAtOneAddressOnly() {
    assertThat(Addresses.listen("127.0.0.1").getPort()).isZero();
    assertThat(Addresses.listen("127.0.0.1:99").getPort()).isEqualTo(99);
    assertThatThrownBy(() -> Addresses.listen("0.0.0.0:7470"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void seesThatAPortIsTaken() throws Exception {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (ServerSocket taken = new ServerSocket(0, 1, loopback)) {
      assertThat(Addresses.isFree(loopback, taken.getLocalPort())).isFalse();
      assertThat(Addresses.pairIsFree(loopback, taken.getLocalPort() - 1)).isFalse();
    }
  }

  @Test
  void findsItsAddressOnTheWayToAPeer() {
    assertThat(Addresses.towards(Addresses.service("127.0.0.1:9")).isLoopbackAddress()).isTrue();
  }
}
