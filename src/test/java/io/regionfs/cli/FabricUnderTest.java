package io.regionfs.cli;

import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What carries the bytes of mounts and clusters in tests: the software device or, if the system
 * properties regionfs.rdma.address and regionfs.rdma.kind (siw or rxe) are set, RDMA devices.
 */
final class FabricUnderTest {
  private static final @Nullable String ADDRESS = System.getProperty("regionfs.rdma.address");
  private static final @Nullable String KIND = System.getProperty("regionfs.rdma.kind");

  private FabricUnderTest() {}

  /** As --fabric and descriptions name it. */
  static String name() {
    return ADDRESS == null ? "soft" : "verbs";
  }

  static boolean isRdma() {
    return ADDRESS != null;
  }

  /** Where services of this machine can listen. */
  static String address() {
    return ADDRESS == null ? "127.0.0.1" : ADDRESS;
  }

  /** What a mount or a metadata service that is told its address is told besides. */
  static String option() {
    return "--fabric=" + name();
  }

  /** What a mount is told that is on its own. */
  static List<String> mountOptions() {
    return ADDRESS == null ? List.of(option()) : List.of(option(), "--listen=" + ADDRESS);
  }

  /** What 'scripts/cluster up' is told. */
  static List<String> clusterOptions() {
    return KIND == null ? List.of() : List.of("--rdma", KIND);
  }

  /** For tests of what arrives at ports: with a device the kernel listens there. */
  static void assumePortsOfTheProcess() {
    assumeThat(isRdma()).as("the kernel listens on the ports, and siw stops at garbage").isFalse();
  }

  /** For tests of what devices of kind rxe have not: TCP beneath, and a namespace for each host. */
  static void assumeOwnTcp() {
    assumeThat(hasOwnTcp())
        .as("hosts can be cut off whole: with rxe devices all share a network namespace")
        .isTrue();
  }

  /** Whether a host that is cut off is so for TCP too. */
  static boolean hasOwnTcp() {
    return !"rxe".equals(KIND);
  }

  /** Java's options for a process that is to use the same. */
  static List<String> javaOptions() {
    return List.of("-Djava.library.path=" + Shell.TOP.resolve("target/native"));
  }
}
