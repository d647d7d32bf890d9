package io.regionfs.cli.doctor;

import io.regionfs.cli.doctor.Finding.Verdict;
import io.regionfs.daemon.Addresses;
import io.regionfs.verbs.disni.FabricRequest;
import io.regionfs.verbs.disni.FabricSelection;
import io.regionfs.verbs.soft.SoftDeviceOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whether a mount with these options would find its device and its ports. */
public final class FabricCheck {
  private static final String CHECK = "fabric";

  private FabricCheck() {}

  /**
   * Seats the device in this process, as a mount would.
   *
   * @param listen with port 0 for any; null: where the device is
   */
  public static List<Finding> examine(FabricRequest request, @Nullable InetSocketAddress listen) {
    List<Finding> findings = new ArrayList<>();
    try {
      FabricSelection chosen =
          FabricSelection.choose(
              request, listen == null ? null : listen.getAddress(), SoftDeviceOptions.defaults());
      findings.add(
          chosen.warning().isEmpty()
              ? Finding.ok(CHECK, chosen.description())
              : Finding.warn(CHECK, chosen.description(), chosen.warning()));
      findings.add(ports(new InetSocketAddress(chosen.address(), port(listen))));
    } catch (IOException e) {
      findings.add(Finding.of(CHECK, Verdict.FAIL, e));
    }
    return findings;
  }

  private static int port(@Nullable InetSocketAddress listen) {
    return listen == null ? 0 : listen.getPort();
  }

  private static Finding ports(InetSocketAddress address) {
    boolean any = address.getPort() == 0;
    int port = any ? Addresses.DEFAULT_PORT : address.getPort();
    String pair = port + " and " + (port + 1) + " on " + address.getAddress().getHostAddress();
    if (Addresses.pairIsFree(address.getAddress(), port)) {
      return Finding.ok("listen", pair + " are free");
    }
    if (!Addresses.isOfThisHost(address.getAddress())) {
      return Finding.fail(
          "listen",
          address.getAddress().getHostAddress() + " is no address of this host",
          "give --listen one of 'ip addr'");
    }
    return any
        ? Finding.ok("listen", pair + " are in use: a mount takes free ones")
        : Finding.fail("listen", pair + " are in use", "give --listen another port");
  }
}
