package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.fs.Coherence;
import io.regionfs.fs.Lifetime;
import io.regionfs.fuse.Transport;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class MountFlagsTest {
  @Test
  void readsListsAsFstabWritesThem() {
    MountFlags flags =
        MountFlags.parse(
            List.of(
                "allow_other,timeout=5",
                "ro,nosuid,nopassthrough,transport=spin,coherent=none,lifetime=owner"));
    assertThat(flags)
        .isEqualTo(
            new MountFlags(
                true,
                true,
                Duration.ofSeconds(5),
                Transport.SPIN,
                false,
                Coherence.NONE,
                Lifetime.OWNER,
                List.of("nosuid")));
  }

  @Test
  void softAloneHasATimeLimit() {
    assertThat(MountFlags.parse(List.of("soft")).timeout()).isNotNull();
    assertThat(MountFlags.parse(List.of("rw,defaults"))).isEqualTo(MountFlags.NONE);
  }

  @Test
  void readsBackWhatItWrites() {
    MountFlags flags =
        MountFlags.parse(
            List.of(
                "nodev,allow_other,ro,nopassthrough,transport=threads,timeout=7,coherent=notify,lifetime=owner"));
    assertThat(MountFlags.parse(List.of(flags.text()))).isEqualTo(flags);
    assertThat(MountFlags.NONE.text()).isEmpty();
  }

  @Test
  void namesTheOptionItDoesNotKnow() {
    assertThatThrownBy(() -> MountFlags.parse(List.of("ro,big_writes")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("big_writes");
    for (String wrong :
        List.of(
            "timeout=",
            "timeout=x",
            "timeout=0",
            "timeout=-1",
            "timeout",
            "transport=x",
            "coherent=",
            "lifetime=")) {
      assertThatThrownBy(() -> MountFlags.parse(List.of(wrong)))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
