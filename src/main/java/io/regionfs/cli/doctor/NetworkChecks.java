package io.regionfs.cli.doctor;

import io.regionfs.daemon.Addresses;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Ports to listen at, and what makes hosts for trying. */
record NetworkChecks(Machine machine) {
  List<Finding> examine() {
    return List.of(ports(), namespaces());
  }

  private static Finding ports() {
    int port = Addresses.DEFAULT_PORT;
    String pair = port + " and " + (port + 1) + " on 127.0.0.1";
    return Addresses.pairIsFree(InetAddress.getLoopbackAddress(), port)
        ? Finding.ok("ports", pair + " are free")
        : Finding.ok("ports", pair + " are in use: a mount without --listen takes free ones");
  }

  private Finding namespaces() {
    Path ip =
        Stream.of("usr/sbin/ip", "sbin/ip", "usr/bin/ip", "bin/ip")
            .map(machine::path)
            .filter(path -> Files.exists(path, LinkOption.NOFOLLOW_LINKS))
            .findFirst()
            .orElse(null);
    if (ip == null) {
      return Finding.warn(
          "namespaces",
          "no ip program: scripts/cluster cannot make hosts (mounting needs it not)",
          "apt-get install iproute2");
    }
    return machine.uid() == 0
        ? Finding.ok("namespaces", ip + ", root: scripts/cluster can make hosts")
        : Finding.warn(
            "namespaces",
            "not root: scripts/cluster cannot make hosts (mounting needs it not)",
            "run scripts/cluster as root");
  }
}
