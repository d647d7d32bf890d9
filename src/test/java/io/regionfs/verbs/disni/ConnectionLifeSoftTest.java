package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.verbs.Connection;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.FabricListener;
import io.regionfs.verbs.soft.SoftDevice;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;

/** Over the software device, whose network can swallow everything. */
class ConnectionLifeSoftTest extends ConnectionLifeContract {
  private final SoftDevice device = SoftDevice.install(SoftDeviceOptions.defaults());

  @Override
  InetAddress address() {
    return InetAddress.getLoopbackAddress();
  }

  @Override
  @MustBeClosed
  DisniFabric open(Pulse pulse) throws IOException {
    return DisniFabric.open(address(), "under test", Pinning.ALWAYS, pulse);
  }

  @Test
  void aHomeThatVanishesIsNoticedWithoutUse() throws Exception {
    try (Fabric home = open(QUICK);
        FabricListener listener = listen(home);
        Fabric borrower = open(QUICK);
        Connection connection = borrower.connect(listener.address(), LONG)) {
      await("accepted", () -> listener.connections() == 1);
      device.options().faults().drop(true);
      try {
        await("the borrower to notice", () -> !connection.isOpen());
        await("the home to notice", () -> listener.connections() == 0);
      } finally {
        device.options().faults().drop(false);
      }
      try (Connection again = borrower.connect(listener.address(), LONG)) {
        await("accepted again", () -> again.isOpen() && listener.connections() == 1);
      }
    }
  }
}
