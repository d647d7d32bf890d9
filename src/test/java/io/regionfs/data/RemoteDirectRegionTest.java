package io.regionfs.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.NodeId;
import io.regionfs.verbs.Atomics;
import io.regionfs.verbs.DeviceUnderTest;
import io.regionfs.verbs.soft.SeatedDevice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;

/** Regions of another host that its kernel uses too, with each kind of atomics. */
@SuppressWarnings("MustBeClosedChecker") // each test closes its device
class RemoteDirectRegionTest {
  abstract static class OverTheFabric extends RegionConcurrencyContract {
    private final DeviceUnderTest device;
    private final List<RemoteHost> hosts = new ArrayList<>();

    OverTheFabric(DeviceUnderTest device) {
      this.device = device;
    }

    @Override
    protected Regions start(long capacityBytes) throws IOException {
      RemoteHost host = new RemoteHost(capacityBytes, device);
      hosts.add(host);
      return new DirectRegions(host.memory(), host.regions(RemoteOptions.defaults()));
    }

    @Override
    protected long bytesOfHoleAtEnd() {
      return 4096;
    }

    @Override
    protected NodeId home() {
      return RemoteHost.HOME;
    }

    @AfterEach
    void closeHosts() {
      closeRegions();
      for (RemoteHost host : hosts) {
        assertThat(host.borrowerFabric.registrations()).isZero();
        host.close();
        assertThat(host.homeFabric.registrations()).isZero();
      }
      hosts.clear();
      device.close();
    }
  }

  @Nested
  class WithGlobalAtomics extends OverTheFabric {
    WithGlobalAtomics() {
      super(new SeatedDevice(Atomics.GLOBAL));
    }
  }

  @Nested
  class WithAtomicsOfTheDevice extends OverTheFabric {
    WithAtomicsOfTheDevice() {
      super(new SeatedDevice(Atomics.DEVICE));
    }
  }

  @Nested
  class WithoutAtomics extends OverTheFabric {
    WithoutAtomics() {
      super(new SeatedDevice(Atomics.NONE));
    }
  }
}
