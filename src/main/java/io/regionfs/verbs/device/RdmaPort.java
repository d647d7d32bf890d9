package io.regionfs.verbs.device;

import java.util.List;

/**
 * A port of a device.
 *
 * @param number from 1
 * @param state "ACTIVE" if it works, else as the kernel names it: "DOWN", "INIT", "ARMED"
 * @param transport "InfiniBand", "RoCE" or "iWARP"
 * @param interfaces the network interfaces that it serves; empty if the kernel does not tell
 */
public record RdmaPort(int number, String state, String transport, List<String> interfaces) {
  public static final String ACTIVE = "ACTIVE";

  public RdmaPort {
    interfaces = List.copyOf(interfaces);
  }

  public boolean isActive() {
    return state.equals(ACTIVE);
  }
}
