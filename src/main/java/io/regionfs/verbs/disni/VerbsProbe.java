package io.regionfs.verbs.disni;

import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.device.Candidates;
import io.regionfs.verbs.device.DeviceFiles;
import io.regionfs.verbs.device.DeviceName;
import io.regionfs.verbs.device.Libraries;
import io.regionfs.verbs.device.MemoryLock;
import io.regionfs.verbs.device.RdmaDevice;
import io.regionfs.verbs.device.RdmaDevices;
import io.regionfs.verbs.soft.ProviderSeat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whether an RDMA device can be used, and seats DiSNI's native provider if so. What costs
 * nothing is asked first: a failure before the last step leaves nothing behind that the software
 * device would trip over, and the last one takes back what it did.
 */
final class VerbsProbe {
  private static final String SETUP = "build it with scripts/setup (it needs a C compiler)";
  private static final String DRIVER =
      "see 'regionfs doctor', and that ibverbs-providers has a driver for it (ibv_devices)";

  private VerbsProbe() {}

  /**
   * Leaves the native provider seated.
   *
   * @return what the device is and can do
   * @throws IOException in one line, why not and what to do
   */
  static DeviceLimits open(RdmaDevices host, Candidates candidates, @Nullable DeviceName wanted)
      throws IOException {
    RdmaDevice only = candidates.only();
    if (only != null) {
      new DeviceFiles(host.root()).check(only);
    }
    checkMemoryLock();
    loadLibrary(candidates);
    DeviceLimits found = bind(candidates);
    if (wanted != null && !isMeant(wanted, found)) {
      unseat();
      throw new IOException(otherDevice(candidates, wanted, found));
    }
    return found;
  }

  private static void checkMemoryLock() throws IOException {
    MemoryLock lock = MemoryLock.ofThisProcess();
    if (lock.isTiny()) {
      throw new IOException(
          "only "
              + lock.text()
              + " of memory can be locked, an RDMA device needs "
              + (MemoryLock.LEAST_BYTES >> 20)
              + " MiB and more: "
              + MemoryLock.cure());
    }
  }

  private static void loadLibrary(Candidates candidates) throws IOException {
    try {
      System.loadLibrary("disni");
    } catch (UnsatisfiedLinkError e) {
      String text = String.valueOf(e.getMessage());
      throw new IOException(
          "RDMA device "
              + names(candidates)
              + " is there, but libdisni"
              + (text.contains("java.library.path")
                  ? " is not: "
                  : " cannot be loaded (" + text + "): ")
              + SETUP,
          e);
    }
    int version;
    try {
      version = NativeVerbs.version();
    } catch (UnsatisfiedLinkError e) {
      throw new IOException("libdisni is not RegionFS's own: " + SETUP, e);
    }
    if (version != NativeVerbs.VERSION) {
      throw new IOException(
          "libdisni has version "
              + version
              + ", but "
              + NativeVerbs.VERSION
              + " is needed: "
              + SETUP);
    }
  }

  private static boolean isMeant(DeviceName wanted, DeviceLimits found) {
    return found.device().equals(wanted.device())
        && (wanted.port() == 0 || wanted.port() == found.port());
  }

  private static DeviceLimits bind(Candidates candidates) throws IOException {
    try {
      return NativeDevice.at(candidates.address());
    } catch (IOException e) {
      unseat();
      String missing = new Libraries(Path.of("/"), System.getenv()).missing();
      throw new IOException(
          "RDMA device "
              + names(candidates)
              + " cannot be used at "
              + candidates.address().getHostAddress()
              + ": "
              + (missing.isEmpty() ? e.getMessage() + ": " + DRIVER : missing),
          e);
    } catch (LinkageError e) {
      unseat();
      throw new IOException("libdisni does not fit (" + e.getMessage() + "): " + SETUP, e);
    }
  }

  private static String otherDevice(Candidates candidates, DeviceName wanted, DeviceLimits found) {
    String address = candidates.address().getHostAddress();
    return "the kernel gives "
        + address
        + " to "
        + found.device()
        + ":"
        + found.port()
        + ", not to "
        + wanted
        + ": both serve it, and only the address chooses. Give "
        + wanted.device()
        + " an interface and address of its own, or remove the other: rdma link delete "
        + found.device();
  }

  private static String names(Candidates candidates) {
    return candidates.devices().stream().map(RdmaDevice::name).collect(Collectors.joining(" or "));
  }

  /** Takes back the native provider that was seated, so that another may be. */
  static void unseat() {
    ProviderSeat.take(null);
  }
}
