package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What the ends of a connection tell each other, and which connections end by it. */
class IntroductionTest {
  private static final InetSocketAddress PEER = new InetSocketAddress("10.0.0.1", 7);
  private final Fences fences = new Fences();

  private static Introduction sent(Introduction introduction) {
    byte[] padded = Arrays.copyOf(introduction.encode(), 196); // as InfiniBand pads it
    return Objects.requireNonNull(Introduction.decode(padded));
  }

  @Test
  void onlyWhatEndedInFlightIsNamed() {
    Introduction first = fences.introduce(PEER);
    Introduction second = fences.introduce(PEER);
    fences.endedInFlight(PEER, second.number());
    Introduction third = sent(fences.introduce(PEER));
    assertThat(third.ends(sent(first))).isFalse();
    assertThat(third.ends(sent(second))).isTrue();
    assertThat(third.ends(third)).isFalse();
  }

  @Test
  void anotherPeerIsNotTold() {
    Introduction first = fences.introduce(PEER);
    fences.endedInFlight(PEER, first.number());
    Introduction other = fences.introduce(new InetSocketAddress("10.0.0.2", 7));
    assertThat(sent(other).ends(first)).isFalse();
  }

  @Test
  void anotherFabricsConnectionsAreLeftAlone() {
    Introduction first = fences.introduce(PEER);
    fences.endedInFlight(PEER, first.number());
    Introduction stranger = new Fences().introduce(PEER);
    assertThat(sent(fences.introduce(PEER)).ends(stranger)).isFalse();
  }

  @Test
  void itIsToldUntilThePeerHasAccepted() {
    Introduction first = fences.introduce(PEER);
    fences.endedInFlight(PEER, first.number());
    fences.introduce(PEER); // an attempt that failed
    Introduction third = fences.introduce(PEER);
    assertThat(sent(third).ends(first)).isTrue();
    fences.told(PEER, third);
    assertThat(sent(fences.introduce(PEER)).ends(first)).isFalse();
  }

  @Test
  void moreThanFitEndAllBefore() {
    Introduction idle = fences.introduce(PEER);
    for (int i = 0; i < Introduction.MAX_ENDED + 1; i++) {
      fences.endedInFlight(PEER, fences.introduce(PEER).number());
    }
    Introduction last = fences.introduce(PEER);
    assertThat(sent(last).ends(idle)).isTrue();
    fences.told(PEER, last);
    assertThat(sent(fences.introduce(PEER)).ends(idle)).isFalse();
  }

  @Test
  void othersPrivateDataMeansNothing() {
    assertThat(Introduction.decode(new byte[0])).isNull();
    assertThat(Introduction.decode(new byte[56])).isNull();
    assertThat(Welcome.decode(new byte[0])).isEqualTo(Welcome.WITHOUT_PULSE);
    assertThat(Welcome.decode(new byte[196])).isEqualTo(Welcome.WITHOUT_PULSE);
    Welcome welcome = new Welcome(0x7f00_1234_5678L, -3);
    assertThat(Welcome.decode(welcome.encode())).isEqualTo(welcome);
  }
}
