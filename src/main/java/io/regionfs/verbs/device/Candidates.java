package io.regionfs.verbs.device;

import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The devices that can serve an address, as far as the kernel's files tell.
 *
 * @param address of this host
 * @param devices at least one; which of several it is, only binding the address tells
 */
public record Candidates(InetAddress address, List<RdmaDevice> devices) {
  private static final String MAKE_ONE =
      "plug one in, make one in software (rdma link add rxe0 type rxe netdev INTERFACE), or take"
          + " --fabric soft";

  public Candidates {
    devices = List.copyOf(devices);
  }

  /**
   * @param address where to serve; null: where the only or named device does
   * @param wanted null: whichever serves the address
   * @throws IOException if there is none, saying why and what to do
   */
  public static Candidates find(
      RdmaDevices host, @Nullable InetAddress address, @Nullable DeviceName wanted)
      throws IOException {
    List<RdmaDevice> all = host.all();
    if (all.isEmpty()) {
      throw new IOException("no RDMA device found on this host: " + MAKE_ONE);
    }
    List<RdmaDevice> named = wanted == null ? all : List.of(named(host, all, wanted));
    int port = wanted == null ? 0 : wanted.port();
    InetAddress at = address == null ? onlyAddress(host, named, port) : address;
    List<RdmaDevice> serving = new ArrayList<>();
    for (RdmaDevice device : named) {
      if (host.addressesOf(device, port).contains(at)) {
        serving.add(device);
      }
    }
    if (serving.isEmpty()) {
      serving.addAll(undecided(host, named, at, wanted));
    }
    List<RdmaDevice> working =
        serving.stream().filter(device -> isUp(host, device, at, port)).toList();
    if (working.isEmpty()) {
      throw down(host, serving.get(0), at, port);
    }
    return new Candidates(at, working);
  }

  private static RdmaDevice named(RdmaDevices host, List<RdmaDevice> all, DeviceName wanted)
      throws IOException {
    RdmaDevice device =
        all.stream()
            .filter(one -> one.name().equals(wanted.device()))
            .findFirst()
            .orElseThrow(
                () ->
                    new IOException(
                        "no RDMA device "
                            + wanted.device()
                            + " on this host: give --rdma-device one of "
                            + host.listed(all)));
    if (wanted.port() != 0 && device.port(wanted.port()).isEmpty()) {
      throw new IOException(
          "RDMA device "
              + device.name()
              + " has no port "
              + wanted.port()
              + ": it has "
              + device.ports().size());
    }
    return device;
  }

  private static InetAddress onlyAddress(RdmaDevices host, List<RdmaDevice> devices, int port)
      throws IOException {
    if (devices.size() > 1) {
      throw new IOException(
          "several RDMA devices: give --listen with an address of one, or --rdma-device: "
              + host.listed(devices));
    }
    RdmaDevice device = devices.get(0);
    List<InetAddress> addresses = host.addressesOf(device, port);
    if (addresses.size() > 1) {
      throw new IOException(
          "RDMA device "
              + device.name()
              + " serves several addresses: give --listen one of "
              + RdmaDevices.text(addresses));
    }
    if (addresses.isEmpty()) {
      String interfaces = String.join(", ", device.interfaces());
      throw new IOException(
          "RDMA device "
              + device.name()
              + " serves no IPv4 address: "
              + (interfaces.isEmpty()
                  ? "give its network interface one, and say it with --listen"
                  : "ip addr add ADDRESS/BITS dev " + interfaces));
    }
    return addresses.get(0);
  }

  /** Devices of whose interfaces the kernel's files say nothing: binding will tell. */
  private static List<RdmaDevice> undecided(
      RdmaDevices host, List<RdmaDevice> devices, InetAddress address, @Nullable DeviceName wanted)
      throws IOException {
    String text = address.getHostAddress();
    String holder = host.interfaceOf(address);
    if (holder.isEmpty() && !address.isLoopbackAddress()) {
      throw new IOException(
          text
              + " is no address of this host: give --listen one that an RDMA device serves: "
              + host.listed(devices));
    }
    if (!address.isLoopbackAddress()) {
      List<RdmaDevice> silent =
          devices.stream().filter(device -> device.interfaces().isEmpty()).toList();
      if (!silent.isEmpty()) {
        return silent;
      }
    }
    throw new IOException(
        (wanted == null ? "no RDMA device serves " : "RDMA device " + wanted + " does not serve ")
            + text
            + (holder.isEmpty() ? "" : " (interface " + holder + ")")
            + ": give --listen an address of "
            + host.listed(devices));
  }

  private static boolean isUp(RdmaDevices host, RdmaDevice device, InetAddress address, int port) {
    List<RdmaPort> ports = portsOf(host, device, address, port);
    return ports.isEmpty() || ports.stream().anyMatch(RdmaPort::isActive);
  }

  private static List<RdmaPort> portsOf(
      RdmaDevices host, RdmaDevice device, InetAddress address, int port) {
    String holder = host.interfaceOf(address);
    return device.ports().stream()
        .filter(one -> port == 0 || one.number() == port)
        .filter(one -> one.interfaces().isEmpty() || one.interfaces().contains(holder))
        .toList();
  }

  private static IOException down(
      RdmaDevices host, RdmaDevice device, InetAddress address, int number) {
    RdmaPort port = portsOf(host, device, address, number).get(0);
    String holder = host.interfaceOf(address);
    return new IOException(
        "port "
            + port.number()
            + " of RDMA device "
            + device.name()
            + " is "
            + port.state()
            + ": "
            + (holder.isEmpty() ? "check its cable" : "ip link set " + holder + " up")
            + ", and check the cable and the switch");
  }

  /** The only one, or null if several serve the address. */
  public @Nullable RdmaDevice only() {
    return devices.size() == 1 ? devices.get(0) : null;
  }
}
