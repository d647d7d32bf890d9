package io.regionfs.cli;

import io.regionfs.rpc.darpc.DarpcOptions;
import io.regionfs.rpc.darpc.DarpcTransport;
import io.regionfs.verbs.disni.FabricSelection;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A process that is nothing but a metadata service. */
final class MetaDaemon implements Daemon.Service {
  private static final Logger LOG = LoggerFactory.getLogger(MetaDaemon.class);

  private final Lifetimes lifetimes = new Lifetimes();
  private final CountDownLatch ended = new CountDownLatch(1);

  private MetaDaemon() {}

  /**
   * @throws IOException if the address cannot be listened at
   * @throws CommandFailure if the state directory is in use
   */
  static MetaDaemon start(
      InetSocketAddress address, Path stateDirectory, FabricSelection.Wish fabric)
      throws IOException {
    MetaDaemon daemon = new MetaDaemon();
    boolean started = false;
    try {
      daemon.open(address, stateDirectory, fabric);
      started = true;
      return daemon;
    } finally {
      if (!started) {
        daemon.close();
      }
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // lifetimes closes all
  private void open(InetSocketAddress address, Path stateDirectory, FabricSelection.Wish fabric)
      throws IOException {
    lifetimes.add("state lock", StateLock.take(stateDirectory));
    FabricSelection selection =
        FabricSelection.choose(fabric, address.getAddress(), SoftDeviceOptions.defaults());
    DarpcTransport transport = lifetimes.add("calls", new DarpcTransport(DarpcOptions.defaults()));
    Switchboard switchboard = new Switchboard(true);
    switchboard.connectMetadata(lifetimes.add("metadata service", NewCluster.create(address)));
    lifetimes.add("listener", Listening.serve(transport, address, switchboard));
    LOG.info("Metadata service at {}, fabric {}", address, selection.description());
  }

  @Override
  public void awaitEnd() throws InterruptedException {
    ended.await();
  }

  @Override
  public void close() {
    lifetimes.close();
    ended.countDown();
    LOG.info("Ended");
  }
}
