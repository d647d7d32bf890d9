package io.regionfs.meta;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.rpc.RpcTransport;
import io.regionfs.rpc.darpc.DarpcOptions;
import io.regionfs.rpc.darpc.DarpcTransport;
import io.regionfs.verbs.soft.SoftDevice;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import org.junit.jupiter.api.AfterEach;

/** The contract of metadata over DaRPC on soft verbs. */
class DarpcMetadataTest extends MetadataContract {
  private final SoftDevice device = SoftDevice.install(SoftDeviceOptions.defaults());

  @Override
  protected RpcTransport newTransport() {
    return new DarpcTransport(DarpcOptions.defaults());
  }

  @AfterEach
  @Override
  void stop() {
    super.stop();
    assertThat(device.registrations()).as("registered memory").isZero();
  }
}
