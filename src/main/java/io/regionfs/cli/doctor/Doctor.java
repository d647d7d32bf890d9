package io.regionfs.cli.doctor;

import io.regionfs.verbs.device.RdmaDevices;
import io.regionfs.verbs.disni.FabricSelection;
import java.io.IOException;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The examination of a machine: all checks, those first without which nothing can be mounted. */
public final class Doctor {
  private final Machine machine;
  private final RdmaChecks rdma;

  private Doctor(Machine machine, RdmaChecks rdma) {
    this.machine = machine;
    this.rdma = rdma;
  }

  public static Doctor ofThisMachine() throws SocketException {
    return new Doctor(
        Machine.ofThisProcess(),
        new RdmaChecks(
            Machine.ofThisProcess(), RdmaDevices.ofThisHost(), FabricSelection::examine));
  }

  /** Of a directory that looks like the root of a machine; its devices cannot be asked. */
  static Doctor of(Machine machine) {
    return of(new RdmaChecks(machine, new RdmaDevices(machine.root(), Map.of()), noQuestions()));
  }

  static Doctor of(RdmaChecks rdma) {
    return new Doctor(rdma.machine(), rdma);
  }

  private static RdmaChecks.Question noQuestions() {
    return (device, address) -> {
      throw new IOException("not this host's: it cannot be asked");
    };
  }

  public List<Finding> examine() {
    List<Finding> findings = new ArrayList<>();
    findings.add(java());
    findings.addAll(new FuseChecks(machine).examine());
    findings.addAll(new MemoryChecks(machine).examine());
    findings.addAll(rdma.examine());
    findings.addAll(new NetworkChecks(machine).examine());
    return List.copyOf(findings);
  }

  private static Finding java() {
    String found =
        System.getProperty("java.vm.name")
            + " "
            + Runtime.version()
            + ", "
            + System.getProperty("java.home");
    return Runtime.version().feature() >= 17
        ? Finding.ok("java", found)
        : Finding.fail("java", found, "install Java 17: openjdk-17-jre-headless");
  }
}
