package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.device.Candidates;
import io.regionfs.verbs.device.DeviceName;
import io.regionfs.verbs.device.RdmaDevice;
import io.regionfs.verbs.device.RdmaDevices;
import io.regionfs.verbs.soft.SoftDevice;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which device serves this process, and why in one line. Choose once, before anything uses DiSNI:
 * the choice seats the provider for the whole process, DaRPC included.
 *
 * <p>The software device stands in for an RDMA device only where none serves the address or, if it
 * was left open, the one that does cannot be used; then there is a {@link #warning}.
 *
 * @param address of this host, where to listen
 * @param limits of an RDMA device; null: the software device has none that matter
 * @param warning what the user must be told; empty: nothing
 */
public record FabricSelection(
    Device device,
    InetAddress address,
    Pinning pinning,
    @Nullable DeviceLimits limits,
    String description,
    String warning) {
  private static final Logger LOG = LoggerFactory.getLogger(FabricSelection.class);

  /** What there is to choose from. */
  public enum Device {
    SOFT,
    VERBS
  }

  /**
   * Seats the device.
   *
   * @param address of this host; null: where the device is that was asked for, or loopback
   * @throws IOException if an RDMA device was insisted on and cannot be used, with reason and cure
   */
  public static FabricSelection choose(
      FabricRequest request, @Nullable InetAddress address, SoftDeviceOptions options)
      throws IOException {
    FabricSelection chosen;
    if (request.insists()) {
      RdmaDevices host = RdmaDevices.ofThisHost();
      chosen = verbs(host, Candidates.find(host, address, request.device()), request);
    } else {
      InetAddress at = address == null ? InetAddress.getLoopbackAddress() : address;
      chosen =
          request.wish() == FabricRequest.Wish.SOFT
              ? soft(options, at, "as asked")
              : automatic(at, request, options);
    }
    if (chosen.warning.isEmpty()) {
      LOG.info("Fabric: {}", chosen.description);
    } else {
      LOG.warn("Fabric: {}", chosen.warning);
    }
    return chosen;
  }

  private static FabricSelection automatic(
      InetAddress address, FabricRequest request, SoftDeviceOptions options) throws IOException {
    RdmaDevices host = RdmaDevices.ofThisHost();
    List<RdmaDevice> all = host.all();
    if (all.isEmpty()) {
      return soft(options, address, "no RDMA device found");
    }
    List<RdmaDevice> serving =
        all.stream().filter(device -> host.addressesOf(device, 0).contains(address)).toList();
    if (serving.isEmpty()) {
      return soft(
          options,
          address,
          address.getHostAddress()
              + " is no address of an RDMA device; there is "
              + host.listed(all));
    }
    try {
      return verbs(host, Candidates.find(host, address, null), request);
    } catch (IOException e) {
      return soft(options, address, host.listed(serving) + " cannot be used")
          .warning("the software device serves instead of an RDMA device: " + e.getMessage());
    }
  }

  private static FabricSelection soft(
      SoftDeviceOptions options, InetAddress address, String reason) {
    SoftDevice.install(options);
    return new FabricSelection(
        Device.SOFT, address, Pinning.ALWAYS, null, "soft (" + reason + ")", "");
  }

  private FabricSelection warning(String text) {
    return new FabricSelection(device, address, pinning, limits, description, text);
  }

  private static FabricSelection verbs(
      RdmaDevices host, Candidates candidates, FabricRequest request) throws IOException {
    DeviceLimits limits = VerbsProbe.open(host, candidates, request.device());
    InetAddress address = candidates.address();
    String description =
        "verbs "
            + limits.device()
            + ":"
            + limits.port()
            + " "
            + limits.transport()
            + " at "
            + address.getHostAddress();
    return new FabricSelection(Device.VERBS, address, request.pinning(), limits, description, "");
  }

  /**
   * Asks one device what it can do, and leaves DiSNI without a provider as it was.
   *
   * @param address that it serves
   * @throws IOException why it cannot be used, and what to do
   */
  public static DeviceLimits examine(RdmaDevice device, InetAddress address) throws IOException {
    DeviceName name = new DeviceName(device.name(), 0);
    Candidates candidates = new Candidates(address, List.of(device));
    DeviceLimits limits = VerbsProbe.open(RdmaDevices.ofThisHost(), candidates, name);
    VerbsProbe.unseat();
    return limits;
  }

  /** Most entries of a send or receive queue. */
  public int workRequests() {
    return limits == null ? Integer.MAX_VALUE : limits.workRequests();
  }

  /** Most entries of a completion queue. */
  public int completions() {
    return limits == null ? Integer.MAX_VALUE : limits.completions();
  }

  /** The fabric of the chosen device at the address. */
  @MustBeClosed
  public Fabric open() throws IOException {
    return DisniFabric.open(address, description, pinning);
  }
}
