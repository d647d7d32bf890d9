package io.regionfs.verbs.device;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A directory that looks like the root of a host with RDMA devices. */
public final class FakeHost {
  private final Path root;
  private final Map<String, List<InetAddress>> addresses = new TreeMap<>();
  private int nodes;

  public FakeHost(Path root) {
    this.root = root;
  }

  public static InetAddress ip(String text) {
    try {
      return InetAddress.getByName(text);
    } catch (IOException e) {
      throw new IllegalArgumentException(e);
    }
  }

  public FakeHost file(String path, String content) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content + "\n");
    return this;
  }

  public FakeHost address(String networkInterface, String... ips) {
    addresses.put(networkInterface, Arrays.stream(ips).map(FakeHost::ip).toList());
    return this;
  }

  /**
   * With one port.
   *
   * @param kind "siw", "rxe" or "ib"
   */
  public FakeHost device(String name, String kind, String state, String... interfaces)
      throws IOException {
    String directory = "sys/class/infiniband/" + name + "/";
    file(directory + "node_type", kind.equals("siw") ? "4: RNIC" : "1: CA");
    String port = directory + "ports/1/";
    file(port + "state", state);
    file(port + "link_layer", kind.equals("ib") ? "InfiniBand" : "Ethernet");
    for (int i = 0; i < interfaces.length; i++) {
      if (kind.equals("ib")) {
        file(directory + "device/net/" + interfaces[i] + "/mtu", "2044");
      } else {
        file(port + "gid_attrs/ndevs/" + i, interfaces[i]);
      }
    }
    String node = "uverbs" + nodes++;
    file("sys/class/infiniband_verbs/" + node + "/ibdev", name);
    file("sys/class/infiniband_verbs/abi_version", "6");
    file("dev/infiniband/" + node, "");
    return file("dev/infiniband/rdma_cm", "");
  }

  public RdmaDevices devices() {
    return new RdmaDevices(root, addresses);
  }
}
