package io.regionfs.cli.doctor;

import io.regionfs.daemon.Directories;
import io.regionfs.verbs.DeviceLimits;
import io.regionfs.verbs.device.DeviceFiles;
import io.regionfs.verbs.device.Libraries;
import io.regionfs.verbs.device.MemoryLock;
import io.regionfs.verbs.device.RdmaDevice;
import io.regionfs.verbs.device.RdmaDevices;
import io.regionfs.verbs.device.RdmaPort;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * RDMA devices and what stands between them and a process. What is amiss is a warning only: the
 * software device serves instead, unless one insists.
 *
 * @param devices of the machine
 * @param question asked of each device that nothing stands in the way of
 */
record RdmaChecks(Machine machine, RdmaDevices devices, Question question) {
  private static final String SETUP = "scripts/setup, after apt-get install gcc";

  /** Asks a device what it can do. */
  interface Question {
    DeviceLimits limitsOf(RdmaDevice device, InetAddress address) throws IOException;
  }

  List<Finding> examine() {
    List<RdmaDevice> all;
    try {
      all = devices.all();
    } catch (IOException e) {
      return List.of(Finding.warn("rdma", "unreadable: " + Directories.reason(e), "look as root"));
    }
    if (all.isEmpty()) {
      return List.of(
          Finding.ok("rdma", "no device: the software fabric will be used (TCP, no set-up needed)"),
          memoryLock(false));
    }
    List<Finding> findings = new ArrayList<>();
    findings.add(libraries());
    findings.add(drivers());
    findings.add(libdisni());
    findings.add(memoryLock(true));
    boolean usable = findings.stream().allMatch(f -> f.verdict() == Finding.Verdict.OK);
    all.forEach(device -> findings.add(device(device, usable)));
    return findings;
  }

  private Finding libraries() {
    Libraries libraries = machine.libraries();
    String missing = libraries.missing();
    if (missing.isEmpty()) {
      return Finding.ok(
          "rdma library",
          Stream.of(Libraries.VERBS, Libraries.CM)
              .flatMap(name -> libraries.find(name).stream())
              .map(Path::toString)
              .collect(Collectors.joining(", ")));
    }
    return Finding.of("rdma library", Finding.Verdict.WARN, new IOException(missing));
  }

  private Finding drivers() {
    Path directory = machine.path("etc/libibverbs.d");
    try {
      List<String> names = new ArrayList<>();
      if (Files.isDirectory(directory)) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.driver")) {
          files.forEach(
              file -> names.add(String.valueOf(file.getFileName()).replace(".driver", "")));
        }
      }
      return names.isEmpty()
          ? Finding.warn(
              "rdma driver", "no driver in /etc/libibverbs.d", "apt-get install ibverbs-providers")
          : Finding.ok("rdma driver", String.join(" ", names.stream().sorted().toList()));
    } catch (IOException e) {
      return Finding.warn("rdma driver", Directories.reason(e), "look as root");
    }
  }

  private Finding libdisni() {
    String name = System.mapLibraryName("disni");
    Optional<Path> library =
        Stream.of(System.getProperty("java.library.path", "").split(":", -1))
            .filter(directory -> directory.startsWith("/"))
            .map(directory -> machine.path(directory.substring(1)).resolve(name))
            .filter(Files::isRegularFile)
            .findFirst();
    return library
        .map(path -> Finding.ok("libdisni", path.toString()))
        .orElseGet(() -> Finding.warn("libdisni", name + " was not built", SETUP));
  }

  private Finding memoryLock(boolean needed) {
    try {
      MemoryLock lock = MemoryLock.of(machine.root());
      if (lock.isTiny() && needed) {
        return Finding.warn(
            "memlock",
            lock.text()
                + ": an RDMA device needs "
                + (MemoryLock.LEAST_BYTES >> 20)
                + " MiB and as much as is to be lent",
            MemoryLock.cure());
      }
      return Finding.ok(
          "memlock", lock.text() + (lock.isTiny() ? " (enough without an RDMA device)" : ""));
    } catch (IOException e) {
      return Finding.warn("memlock", "unknown: " + e.getMessage(), "look at ulimit -l");
    }
  }

  private Finding device(RdmaDevice device, boolean usable) {
    String check = "rdma " + device.name();
    String found =
        device.ports().stream().map(port -> text(device, port)).collect(Collectors.joining("; "));
    List<InetAddress> addresses = devices.addressesOf(device, 0);
    String interfaces = String.join(" ", device.interfaces());
    if (device.ports().stream().noneMatch(RdmaPort::isActive)) {
      return Finding.warn(
          check,
          found,
          interfaces.isEmpty()
              ? "check its cable and switch"
              : "ip link set " + interfaces + " up");
    }
    if (addresses.isEmpty()) {
      return Finding.warn(
          check,
          found,
          "give its interface an IPv4 address: ip addr add ADDRESS/BITS dev "
              + (interfaces.isEmpty() ? "INTERFACE" : interfaces));
    }
    try {
      new DeviceFiles(machine.root()).check(device);
      return usable
          ? Finding.ok(check, found + "; " + text(question.limitsOf(device, addresses.get(0))))
          : Finding.ok(check, found);
    } catch (IOException e) {
      Finding trouble = Finding.of(check, Finding.Verdict.WARN, e);
      return Finding.warn(check, found + "; " + trouble.found(), trouble.advice());
    }
  }

  private String text(RdmaDevice device, RdmaPort port) {
    String addresses =
        devices.addressesOf(device, port.number()).stream()
            .map(InetAddress::getHostAddress)
            .collect(Collectors.joining(" "));
    return "port "
        + port.number()
        + " "
        + port.transport()
        + " "
        + port.state()
        + (port.interfaces().isEmpty() ? "" : ", " + String.join(" ", port.interfaces()))
        + ", "
        + (addresses.isEmpty() ? "no IPv4 address" : addresses);
  }

  private static String text(DeviceLimits limits) {
    return "atomics: "
        + limits.atomics().name().toLowerCase(Locale.ROOT)
        + (limits.onDemandPaging() ? ", paging on demand" : ", no paging on demand")
        + ", MTU "
        + limits.mtu()
        + ", "
        + limits.registrations()
        + " memory regions";
  }
}
