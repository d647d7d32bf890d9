package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class PeersTest {
  private static final List<String> THREE =
      List.of("1=127.0.0.1:7000", "2=127.0.0.1:7002", "3=127.0.0.1:7004");

  @Test
  void aListIsReadAndWritten() {
    Peers peers = Peers.parse(THREE);
    assertThat(peers.text()).isEqualTo(String.join(",", THREE));
    assertThat(peers.lowest()).isEqualTo(1);
    assertThat(Peers.of(peers.messages())).isEqualTo(peers);
    peers.check(2, Addresses.service("127.0.0.1:7002"), false);
  }

  @Test
  void whatIsWrongIsNamed() {
    assertWrong(List.of("1=127.0.0.1:1", "1=127.0.0.1:3"), "replica 1 is listed twice");
    assertWrong(List.of("1=127.0.0.1:1", "2=127.0.0.1:1"), "two replicas", "127.0.0.1:1");
    assertWrong(List.of("127.0.0.1:1"), "not ID=IP:PORT");
    assertWrong(List.of("x=127.0.0.1:1"), "'x' is not the number of a replica");
    assertWrong(List.of("0=127.0.0.1:1"), "'0'", "count from 1");
    assertWrong(List.of("1=127.0.0.1"), "not HOST:PORT");
    assertWrong(List.of("1=0.0.0.0:5"), "0.0.0.0");
    assertWrong(List.of("1=127.0.0.1:65535"), "too high");
  }

  private static void assertWrong(List<String> entries, String... messages) {
    assertThatThrownBy(() -> Peers.parse(entries))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(messages);
  }

  @Test
  void aReplicaMustBeWhereTheListHasIt() {
    Peers peers = Peers.parse(THREE);
    assertThatThrownBy(() -> peers.check(4, Addresses.service("127.0.0.1:7000"), false))
        .hasMessageContaining("no entry for this replica, --id 4");
    assertThatThrownBy(() -> peers.check(1, Addresses.service("127.0.0.1:7002"), false))
        .hasMessageContainingAll("--listen 127.0.0.1:7002", "127.0.0.1:7000");
  }

  @Test
  void anEvenNumberIsOnlyForOneThatJoins() {
    Peers two = Peers.parse(THREE.subList(0, 2));
    assertThatThrownBy(() -> two.check(1, Addresses.service("127.0.0.1:7000"), false))
        .hasMessageContaining("give 1, 3 or 5");
    two.check(1, Addresses.service("127.0.0.1:7000"), true);
  }
}
