package io.regionfs.rpc.darpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class DarpcOptionsTest {
  private final DarpcOptions usual = DarpcOptions.defaults();

  @Test
  void aLargeDeviceChangesNothing() {
    assertThat(usual.within(Integer.MAX_VALUE, Integer.MAX_VALUE)).isEqualTo(usual);
    assertThat(usual.within(32_768, 32_767)).isEqualTo(usual);
  }

  @Test
  void queuesShrinkToTheDevices() {
    assertThat(usual.within(8, 32_767).depth()).isEqualTo(8);
    DarpcOptions shared = usual.within(1024, 1024);
    assertThat(shared.depth()).isEqualTo(usual.depth());
    assertThat(shared.sharing() * shared.completions()).isBetween(900, 1024);
    DarpcOptions alone = usual.within(1024, 16);
    assertThat(alone.sharing()).isEqualTo(1);
    assertThat(alone.completions()).isLessThanOrEqualTo(16);
  }

  @Test
  void aDeviceForNoCallIsRefused() {
    assertThatThrownBy(() -> usual.within(1, 4096)).isInstanceOf(IllegalArgumentException.class);
  }
}
