package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class SizesTest {
  @Test
  void readsWhatPeopleWrite() {
    assertThat(Sizes.parse("4096")).isEqualTo(4096);
    assertThat(Sizes.parse("512M")).isEqualTo(512L << 20);
    assertThat(Sizes.parse("4g")).isEqualTo(4L << 30);
    assertThat(Sizes.parse("1.5 GiB")).isEqualTo(3L << 29);
    assertThat(Sizes.parse("1T")).isEqualTo(1L << 40);
    assertThat(Sizes.parse("7P")).isEqualTo(7L << 50);
  }

  @Test
  void refusesWhatIsNoSize() {
    for (String text : new String[] {"", "0", "-1", "G", "4X", "1e9", "4 4", "9999999P", "0.1"}) {
      assertThatThrownBy(() -> Sizes.parse(text))
          .as(text)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'" + text + "'");
    }
  }

  @Test
  void writesForPeople() {
    assertThat(Sizes.format(0)).isEqualTo("0 B");
    assertThat(Sizes.format(1023)).isEqualTo("1023 B");
    assertThat(Sizes.format(1 << 20)).isEqualTo("1.0 MiB");
    assertThat(Sizes.format(3L << 29)).isEqualTo("1.5 GiB");
    assertThat(Sizes.format(500L << 30)).isEqualTo("500 GiB");
    assertThat(Sizes.format(Long.MAX_VALUE)).isEqualTo("8192 PiB");
  }
}
