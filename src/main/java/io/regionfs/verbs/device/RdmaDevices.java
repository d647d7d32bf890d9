package io.regionfs.verbs.device;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The RDMA devices below /sys/class/infiniband, with the interfaces and IPv4 addresses they serve.
 * A device serves an interface if the interface is in the table of one of its ports' GIDs, or is a
 * child of the same piece of hardware (IPoIB). Source: Documentation/ABI/stable/
 * sysfs-class-infiniband of Linux.
 *
 * @param root what stands for / (tests give their own)
 * @param addresses the IPv4 addresses of each of this host's interfaces
 */
public record RdmaDevices(Path root, Map<String, List<InetAddress>> addresses) {
  private static final String CLASS = "sys/class/infiniband";
  private static final String IWARP_NODE = "RNIC";

  public RdmaDevices {
    addresses = Map.copyOf(addresses);
  }

  public static RdmaDevices ofThisHost() throws SocketException {
    Map<String, List<InetAddress>> addresses = new TreeMap<>();
    for (NetworkInterface one : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      addresses.put(
          one.getName(),
          Collections.list(one.getInetAddresses()).stream()
              .filter(Inet4Address.class::isInstance)
              .toList());
      Collections.list(one.getSubInterfaces())
          .forEach(
              alias -> addresses.put(alias.getName(), Collections.list(alias.getInetAddresses())));
    }
    return new RdmaDevices(Path.of("/"), addresses);
  }

  /** All devices, by name. */
  public List<RdmaDevice> all() throws IOException {
    List<RdmaDevice> devices = new ArrayList<>();
    Map<String, String> nodes = nodes();
    for (String name : names(root.resolve(CLASS))) {
      Path directory = root.resolve(CLASS).resolve(name);
      boolean iwarp = word(directory.resolve("node_type")).equals(IWARP_NODE);
      Set<String> siblings = names(directory.resolve("device/net"));
      List<RdmaPort> ports = new ArrayList<>();
      for (String number : names(directory.resolve("ports"))) {
        ports.add(port(directory.resolve("ports"), number, iwarp, siblings));
      }
      devices.add(new RdmaDevice(name, nodes.getOrDefault(name, ""), ports));
    }
    return devices;
  }

  private static RdmaPort port(Path ports, String number, boolean iwarp, Set<String> siblings)
      throws IOException {
    Path directory = ports.resolve(number);
    boolean ethernet = line(directory.resolve("link_layer")).equals("Ethernet");
    Set<String> interfaces = new LinkedHashSet<>();
    Path table = directory.resolve("gid_attrs/ndevs");
    for (String index : names(table)) {
      interfaces.add(line(table.resolve(index)));
    }
    if (!ethernet) {
      interfaces.addAll(siblings);
    }
    interfaces.remove("");
    return new RdmaPort(
        Integer.parseInt(number),
        word(directory.resolve("state")),
        iwarp ? "iWARP" : ethernet ? "RoCE" : "InfiniBand",
        List.copyOf(interfaces));
  }

  /** The files of /dev/infiniband by the devices that they belong to. */
  private Map<String, String> nodes() throws IOException {
    Map<String, String> nodes = new TreeMap<>();
    Path directory = root.resolve("sys/class/infiniband_verbs");
    for (String node : names(directory)) {
      nodes.put(line(directory.resolve(node).resolve("ibdev")), node);
    }
    return nodes;
  }

  private static Set<String> names(Path directory) throws IOException {
    Set<String> names = new TreeSet<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
        entries.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
      }
    }
    return names;
  }

  /** Empty where there is none: many entries of a GID table are unused and cannot be read. */
  private static String line(Path file) {
    try {
      return Files.isRegularFile(file) ? Files.readString(file).strip() : "";
    } catch (IOException e) {
      return "";
    }
  }

  /** The word of a line such as "4: ACTIVE". */
  private static String word(Path file) {
    String line = line(file);
    return line.substring(line.indexOf(':') + 1).strip();
  }

  /** The IPv4 addresses that a device serves, on one port or (0) on all. */
  public List<InetAddress> addressesOf(RdmaDevice device, int port) {
    return device.ports().stream()
        .filter(one -> port == 0 || one.number() == port)
        .flatMap(one -> one.interfaces().stream())
        .distinct()
        .flatMap(one -> addresses.getOrDefault(one, List.of()).stream())
        .distinct()
        .toList();
  }

  /** The interface that has an address; empty: none of this host. */
  String interfaceOf(InetAddress address) {
    return addresses.entrySet().stream()
        .filter(entry -> entry.getValue().contains(address))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse("");
  }

  /** For people: "siw0 (10.0.0.1), mlx5_0 (no IPv4 address)". */
  public String listed(List<RdmaDevice> devices) {
    Function<RdmaDevice, String> one =
        device -> {
          String served = text(addressesOf(device, 0));
          return device.name() + " (" + (served.isEmpty() ? "no IPv4 address" : served) + ")";
        };
    return devices.stream().map(one).collect(Collectors.joining(", "));
  }

  static String text(List<InetAddress> addresses) {
    return addresses.stream()
        .map(InetAddress::getHostAddress)
        .map(Objects::requireNonNull)
        .collect(Collectors.joining(" "));
  }
}
