package io.regionfs.verbs.disni;

import com.ibm.disni.verbs.RdmaProvider;
import io.regionfs.verbs.device.Candidates;
import io.regionfs.verbs.device.DeviceFiles;
import io.regionfs.verbs.device.DeviceName;
import io.regionfs.verbs.device.Libraries;
import io.regionfs.verbs.device.MemoryLock;
import io.regionfs.verbs.device.RdmaDevice;
import io.regionfs.verbs.device.RdmaDevices;
import java.io.IOException;
import java.lang.reflect.Field;
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

  private VerbsProbe() {}

  /**
   * Leaves the native provider seated.
   *
   * @return the device, as "siw0:1 iWARP"
   * @throws IOException in one line, why not and what to do
   */
  static String open(RdmaDevices host, Candidates candidates, @Nullable DeviceName wanted)
      throws IOException {
    RdmaDevice only = candidates.only();
    if (only != null) {
      new DeviceFiles(host.root()).check(only);
    }
    checkMemoryLock();
    loadLibrary(candidates);
    NativeDevice found = bind(candidates);
    if (wanted != null && !found.is(wanted)) {
      unseat();
      throw new IOException(otherDevice(host, candidates, wanted, found));
    }
    return found + transport(host, found);
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

  private static NativeDevice bind(Candidates candidates) throws IOException {
    try (DisniFabric fabric = DisniFabric.open(candidates.address(), "probe")) {
      NativeDevice device = fabric.nativeDevice();
      if (device != null) {
        return device;
      }
      throw new IOException("DiSNI runs on a software device in this process already");
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

  private static final String DRIVER =
      "see 'regionfs doctor', and that ibverbs-providers has a driver for it (ibv_devices)";

  private static String otherDevice(
      RdmaDevices host, Candidates candidates, DeviceName wanted, NativeDevice found)
      throws IOException {
    String address = candidates.address().getHostAddress();
    return "the kernel gives "
        + address
        + " to "
        + found
        + ", not to "
        + wanted
        + ": both serve it, and only the address chooses. Give "
        + wanted.device()
        + " an interface and address of its own (it has "
        + host.listed(
            host.all().stream().filter(one -> one.name().equals(wanted.device())).toList())
        + "), or remove the other: rdma link delete "
        + found.name();
  }

  private static String transport(RdmaDevices host, NativeDevice found) throws IOException {
    return host.all().stream()
        .filter(device -> device.name().equals(found.name()))
        .flatMap(device -> device.port(found.port()).stream())
        .map(port -> " " + port.transport())
        .findFirst()
        .orElse("");
  }

  private static String names(Candidates candidates) {
    return candidates.devices().stream().map(RdmaDevice::name).collect(Collectors.joining(" or "));
  }

  /** Takes back the native provider that was seated, so that another may be. */
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
}
