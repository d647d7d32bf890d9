package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import com.ibm.disni.verbs.IbvContext;
import com.ibm.disni.verbs.IbvPd;
import com.ibm.disni.verbs.RdmaCm;
import com.ibm.disni.verbs.RdmaCmId;
import com.ibm.disni.verbs.RdmaEventChannel;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.soft.SoftDevice;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device that has an address, held open by an identifier that is bound to it, and a protection
 * domain there. Closed after everything that was made in the domain.
 *
 * @param nativeDevice null if it is the software device
 * @param obstacle see {@link SoftIwarp}
 */
record OpenDevice(
    RdmaEventChannel channel,
    RdmaCmId id,
    IbvContext context,
    IbvPd domain,
    @Nullable NativeDevice nativeDevice,
    DeviceLimits limits,
    @Nullable CompletionQueue obstacle)
    implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OpenDevice.class);

  /**
   * A provider must be chosen before, see {@link FabricSelection}.
   *
   * @throws IOException if no device has the address, or it is too small
   */
  @MustBeClosed
  @SuppressWarnings("MustBeClosedChecker") // what fails half-way is closed by hand
  static OpenDevice at(InetAddress address) throws IOException {
    NativeProvider.seat();
    RdmaEventChannel channel = RdmaEventChannel.createEventChannel();
    if (channel == null) {
      throw new IOException("no event channel for connections: no RDMA device");
    }
    RdmaCmId id = null;
    CompletionQueue obstacle = null;
    try {
      id = channel.createId(RdmaCm.RDMA_PS_TCP);
      id.bindAddr(new InetSocketAddress(address, 0));
      IbvContext context = id.getVerbs();
      if (context == null) {
        throw new IOException("no RDMA device has the address " + address.getHostAddress());
      }
      NativeDevice nativeDevice = NativeDevice.of(id, context);
      DeviceLimits limits = nativeDevice == null ? softLimits(context) : nativeDevice.limits();
      QueuePairs.requireRoom(limits);
      obstacle = SoftIwarp.obstacle(context, limits);
      return new OpenDevice(
          channel, id, context, context.allocPd(), nativeDevice, limits, obstacle);
    } catch (IOException e) {
      if (obstacle != null) {
        obstacle.close();
      }
      if (id != null) {
        id.destroyId();
      }
      DisniConnection.closeChannel(channel);
      throw e;
    }
  }

  private static DeviceLimits softLimits(IbvContext context) {
    return new DeviceLimits(
        "soft",
        0,
        "TCP",
        SoftDevice.atomicsOf(context),
        Integer.MAX_VALUE,
        Fabric.MAX_REGISTRATION_BYTES,
        QueuePairs.MOST_REQUESTS,
        2 * QueuePairs.MOST_REQUESTS,
        QueuePairs.MOST_REQUESTS,
        0,
        0,
        false);
  }

  @Override
  public void close() {
    if (obstacle != null) {
      obstacle.close();
    }
    try {
      domain.deallocPd();
    } catch (Exception e) { // what DiSNI declares
      LOG.warn("A protection domain could not be freed", e);
    }
    try {
      id.destroyId();
    } catch (IOException e) {
      LOG.warn("The device could not be closed", e);
    }
    DisniConnection.closeChannel(channel);
  }
}
