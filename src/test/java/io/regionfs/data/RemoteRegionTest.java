package io.regionfs.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.NodeId;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

/** Regions of another host, over the fabric. */
@SuppressWarnings("MustBeClosedChecker") // closed in closeHosts
class RemoteRegionTest extends RegionConcurrencyContract {
  private final List<RemoteHost> hosts = new ArrayList<>();

  @Override
  protected Regions start(long capacityBytes) throws IOException {
    RemoteHost host = new RemoteHost(capacityBytes);
    hosts.add(host);
    return host.regions(RemoteOptions.defaults());
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
  }
}
