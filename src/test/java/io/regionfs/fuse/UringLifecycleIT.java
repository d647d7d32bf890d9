package io.regionfs.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The tests of {@link FuseLifecycleIT} where requests come over io_uring. */
@ExtendWith(UringSwitch.class)
class UringLifecycleIT extends FuseLifecycleIT {
  @Override
  FuseOptions options() {
    return super.options().withTransport(Transport.URING);
  }

  /** They stay, as the kernel takes no entry of a queue back: all seven on each CPU, and others. */
  @Override
  int fewThreads() {
    return 1 + Runtime.getRuntime().availableProcessors() * (7 + 2);
  }

  @Test
  void requestsComeOverIoUring() {
    assertThat(mount.transport().transport()).isEqualTo(Transport.URING);
  }
}
