package io.regionfs.verbs.disni;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricContract;
import io.regionfs.verbs.disni.FabricSelection.Device;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;

/** The fabric over the software device. */
class DisniSoftFabricTest extends FabricContract {
  @Override
  @MustBeClosed
  protected Fabric open(InetAddress address) throws IOException {
    return FabricSelection.choose(FabricRequest.soft(), address, SoftDeviceOptions.defaults())
        .open();
  }

  @Test
  void theDescriptionSaysWhatServesAndWhy() throws IOException {
    FabricSelection selection =
        FabricSelection.choose(
            FabricRequest.soft(), InetAddress.getLoopbackAddress(), SoftDeviceOptions.defaults());
    assertThat(selection.device()).isEqualTo(Device.SOFT);
    assertThat(selection.description()).isEqualTo("soft (as asked)");
  }
}
