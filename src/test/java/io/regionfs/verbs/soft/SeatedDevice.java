package io.regionfs.verbs.soft;

import com.google.errorprone.annotations.MustBeClosed;
import com.ibm.disni.verbs.RdmaProvider;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.DeviceUnderTest;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.disni.FabricRequest;
import io.regionfs.verbs.disni.FabricSelection;
import java.io.IOException;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * A software device with other atomics than usual, for all that opens a fabric until this is
 * closed. Fabrics of before are not used meanwhile, those opened meanwhile are closed before it.
 */
public final class SeatedDevice implements DeviceUnderTest {
  private final @Nullable RdmaProvider before;

  @MustBeClosed
  public SeatedDevice(Atomics atomics) {
    SoftDevice.install(SoftDeviceOptions.defaults());
    SoftDevice device = new SoftDevice(SoftDeviceOptions.defaults().withAtomics(atomics));
    before = seat(new SoftProvider(device));
  }

  @SuppressWarnings("LockOnNonEnclosingClassLiteral") // the lock under which DiSNI reads it
  private static @Nullable RdmaProvider seat(@Nullable RdmaProvider provider) {
    synchronized (RdmaProvider.class) {
      RdmaProvider old = ProviderSeat.provider();
      ProviderSeat.take(provider);
      return old;
    }
  }

  @Override
  @MustBeClosed
  public Fabric open() throws IOException {
    return FabricSelection.choose(FabricRequest.soft(), address(), SoftDeviceOptions.defaults())
        .open();
  }

  @Override
  public InetAddress address() {
    return InetAddress.getLoopbackAddress();
  }

  @Override
  public void close() {
    seat(before);
  }
}
