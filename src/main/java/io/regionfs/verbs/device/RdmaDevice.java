package io.regionfs.verbs.device;

import java.util.List;
import java.util.Optional;

/**
 * A device of this host.
 *
 * @param node the file below /dev/infiniband through which programs use it, as uverbs0; empty: none
 */
public record RdmaDevice(String name, String node, List<RdmaPort> ports) {
  public RdmaDevice {
    ports = List.copyOf(ports);
  }

  /** The network interfaces of all its ports. */
  public List<String> interfaces() {
    return ports.stream().flatMap(port -> port.interfaces().stream()).distinct().toList();
  }

  public Optional<RdmaPort> port(int number) {
    return ports.stream().filter(port -> port.number() == number).findFirst();
  }
}
