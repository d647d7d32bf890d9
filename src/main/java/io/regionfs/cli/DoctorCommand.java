package io.regionfs.cli;

import io.regionfs.cli.doctor.Doctor;
import io.regionfs.cli.doctor.FabricCheck;
import io.regionfs.cli.doctor.Finding;
import io.regionfs.daemon.Addresses;
import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Json;
import io.regionfs.verbs.disni.FabricRequest;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Looks at what RegionFS needs from this machine. */
@Command(
    name = "doctor",
    sortOptions = false,
    description = {
      "Check what RegionFS needs from this machine.",
      "%nSays what to do about what is missing. With --fabric, --rdma-device or --listen it also"
          + " checks whether a mount with these options would find its device. Exit code 1 if"
          + " nothing can be mounted, or not with these options.%n"
    })
final class DoctorCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Mixin private final FabricOptions fabric = new FabricOptions();

  @Option(names = "--listen", paramLabel = "IP[:PORT]", description = "Where a mount would listen.")
  private @Nullable String listen;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws SocketException {
    FabricRequest request = fabric.request();
    InetSocketAddress address = address();
    List<Finding> findings = new ArrayList<>(Doctor.ofThisMachine().examine());
    if (address != null || request.insists()) {
      findings.addAll(FabricCheck.examine(request, address));
    }
    boolean failed = findings.stream().anyMatch(f -> f.verdict() == Finding.Verdict.FAIL);
    if (spec != null) {
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        out.println(Json.write(report(findings, failed)));
      } else {
        print(findings, out);
      }
      out.flush();
    }
    return failed ? Main.FAILED : Main.DONE;
  }

  private @Nullable InetSocketAddress address() {
    try {
      return listen == null ? null : Addresses.listen(listen);
    } catch (IllegalArgumentException e) {
      String text = String.valueOf(e.getMessage());
      throw spec == null
          ? new CommandFailure(text)
          : new ParameterException(spec.commandLine(), text);
    }
  }

  private static Map<String, Object> report(List<Finding> findings, boolean failed) {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("usable", !failed);
    report.put(
        "checks",
        findings.stream()
            .map(
                finding -> {
                  Map<String, Object> check = new LinkedHashMap<>();
                  check.put("check", finding.check());
                  check.put("verdict", word(finding));
                  check.put("found", finding.found());
                  check.put("advice", finding.advice());
                  return check;
                })
            .toList());
    return report;
  }

  private static void print(List<Finding> findings, PrintWriter out) {
    for (Finding finding : findings) {
      out.printf("%-4s  %-12s %s%n", word(finding), finding.check(), finding.found());
      if (!finding.advice().isEmpty()) {
        out.printf("      %-12s → %s%n", "", finding.advice());
      }
    }
  }

  private static String word(Finding finding) {
    return finding.verdict().name().toLowerCase(Locale.ROOT);
  }
}
