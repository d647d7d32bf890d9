package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The tests of {@link FuseMountIT} where requests come over io_uring. */
@ExtendWith(UringSwitch.class)
class UringMountIT extends FuseMountIT {
  @Override
  FuseOptions options() {
    return super.options().withTransport(Transport.URING);
  }

  @Test
  void requestsComeOverIoUring() {
    assertThat(mount.transport().transport()).isEqualTo(Transport.URING);
  }
}
