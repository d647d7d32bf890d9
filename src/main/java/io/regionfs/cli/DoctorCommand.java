package io.regionfs.cli;

import io.regionfs.daemon.Json;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Looks at what RegionFS needs from this machine. */
@Command(
    name = "doctor",
    description = {
      "Check what RegionFS needs from this machine.",
      "%nSays what to do about what is missing. Exit code 1 if nothing can be mounted without it.%n"
    })
final class DoctorCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    List<Doctor.Finding> findings = Doctor.ofThisMachine().examine();
    boolean failed = findings.stream().anyMatch(f -> f.verdict() == Doctor.Verdict.FAIL);
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

  private static Map<String, Object> report(List<Doctor.Finding> findings, boolean failed) {
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

  private static void print(List<Doctor.Finding> findings, PrintWriter out) {
    for (Doctor.Finding finding : findings) {
      out.printf("%-4s  %-12s %s%n", word(finding), finding.check(), finding.found());
      if (!finding.advice().isEmpty()) {
        out.printf("      %-12s → %s%n", "", finding.advice());
      }
    }
  }

  private static String word(Doctor.Finding finding) {
    return finding.verdict().name().toLowerCase(Locale.ROOT);
  }
}
