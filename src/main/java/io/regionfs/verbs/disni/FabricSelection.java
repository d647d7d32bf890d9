package io.regionfs.verbs.disni;

import com.google.errorprone.annotations.MustBeClosed;
import com.ibm.disni.verbs.RdmaProvider;
import io.regionfs.verbs.Fabric;
import io.regionfs.verbs.soft.SoftDevice;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which device serves this process, and why in one line. Choose once, before anything uses DiSNI:
 * the choice seats the provider for the whole process, DaRPC included.
 */
public record FabricSelection(Device device, String description) {
  private static final Logger LOG = LoggerFactory.getLogger(FabricSelection.class);
  private static final Path DEVICES = Path.of("/sys/class/infiniband");

  /** What there is to choose from. */
  public enum Device {
    SOFT,
    VERBS
  }

  /** What may be asked for. */
  public enum Wish {
    /** A NIC if one serves the address, else the software device. */
    AUTO,
    SOFT,
    /** A NIC or nothing. */
    VERBS
  }

  /**
   * Seats the device for an address of this host.
   *
   * @throws IOException if a NIC was insisted on and there is none, with the reason
   */
  public static FabricSelection choose(Wish wish, InetAddress address, SoftDeviceOptions options)
      throws IOException {
    FabricSelection chosen =
        switch (wish) {
          case SOFT -> soft(options, "as asked");
          case VERBS -> verbs(address);
          case AUTO -> automatic(address, options);
        };
    LOG.info("Fabric: {}", chosen.description);
    return chosen;
  }

  private static FabricSelection automatic(InetAddress address, SoftDeviceOptions options)
      throws IOException {
    try {
      return verbs(address);
    } catch (IOException e) {
      return soft(options, String.valueOf(e.getMessage()));
    }
  }

  private static FabricSelection soft(SoftDeviceOptions options, String reason) {
    SoftDevice.install(options);
    return new FabricSelection(Device.SOFT, "soft (" + reason + ")");
  }

  /**
   * Cheap questions first: DiSNI is not touched before a device and its library are there, so that
   * a failure leaves nothing behind that the software device would trip over.
   */
  private static FabricSelection verbs(InetAddress address) throws IOException {
    String name = firstDevice();
    try {
      System.loadLibrary("disni");
    } catch (UnsatisfiedLinkError e) {
      throw new IOException("RDMA device " + name + " found, but no libdisni", e);
    }
    try (DisniFabric probe = DisniFabric.open(address, name)) {
      return new FabricSelection(
          Device.VERBS, "verbs (" + probe.description() + " at " + address.getHostAddress() + ")");
    } catch (IOException e) {
      unseat();
      throw e;
    } catch (LinkageError e) {
      unseat();
      throw new IOException("libdisni does not fit: " + e.getMessage(), e);
    }
  }

  /** Takes back the native provider that the probe has seated, so that another may be. */
  @SuppressWarnings("LockOnNonEnclosingClassLiteral") // the lock under which DiSNI fills the seat
  private static void unseat() throws IOException {
    synchronized (RdmaProvider.class) {
      try {
        Field seat = RdmaProvider.class.getDeclaredField("provider");
        seat.setAccessible(true);
        seat.set(null, null);
      } catch (ReflectiveOperationException e) {
        throw new IOException("this DiSNI has no seat for a provider", e);
      }
    }
  }

  private static String firstDevice() throws IOException {
    if (Files.isDirectory(DEVICES)) {
      try (DirectoryStream<Path> devices = Files.newDirectoryStream(DEVICES)) {
        for (Path device : devices) {
          return String.valueOf(device.getFileName());
        }
      }
    }
    throw new IOException("no RDMA device found");
  }

  /** The fabric of the chosen device at an address of this host. */
  @MustBeClosed
  public Fabric open(InetAddress address) throws IOException {
    return DisniFabric.open(address, description);
  }
}
