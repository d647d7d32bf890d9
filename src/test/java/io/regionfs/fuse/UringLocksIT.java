package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The tests of {@link LocksIT} where requests come over io_uring. */
@ExtendWith(UringSwitch.class)
class UringLocksIT extends LocksIT {
  @Override
  FuseOptions options() {
    return super.options().withTransport(Transport.URING);
  }

  /** The kernel wants each answer in the lane of the request, so each who waits holds a thread. */
  @Override
  int fewThreads() {
    return 200 + 20;
  }

  @Test
  void requestsComeOverIoUring() {
    assertThat(mount.transport().transport()).isEqualTo(Transport.URING);
  }
}
