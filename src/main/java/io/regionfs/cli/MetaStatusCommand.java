package io.regionfs.cli;

import io.regionfs.daemon.Addresses;
import io.regionfs.daemon.Json;
import io.regionfs.daemon.ReplicaCalls;
import io.regionfs.daemon.Sizes;
import io.regionfs.proto.AdministrationReply;
import io.regionfs.proto.ReplicaAddress;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows the replicas of a metadata service. */
@Command(
    name = "status",
    sortOptions = false,
    description = {
      "Show the replicas of a metadata service.",
      "%nEach is asked by itself. 'applied', 'log' and 'snapshot' count entries of the log: how far"
          + " its state is, how far its log is, and up to where a snapshot replaces the log. Exit"
          + " code 1 if no replica answers, or if --verify finds a difference or cannot compare"
          + " all.%n"
    })
final class MetaStatusCommand implements Callable<Integer> {
  @Mixin private final ReplicaAccess access = new ReplicaAccess();

  @Option(
      names = "--verify",
      description = "Compare checksums of the replicas' whole states after the same entry.")
  private boolean verify;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Parameters(
      paramLabel = "DIR",
      arity = "0..1",
      description = "A mount, to ask the metadata service that it uses.")
  private @Nullable Path directory;

  @Override
  public Integer call() throws IOException, InterruptedException {
    return access.use(directory, this::show);
  }

  private int show(ReplicaCalls replicas) throws InterruptedException {
    List<ReplicaCalls.Answer> answers = replicas.status();
    boolean answered = answers.stream().anyMatch(answer -> answer.reply() != null);
    ReplicaComparison.@Nullable Result compared = verify ? ReplicaComparison.of(replicas) : null;
    PrintWriter out = access.out();
    if (json) {
      Map<String, @Nullable Object> report = report(answers);
      if (compared != null) {
        report.put("verified", compared.equal());
        report.put("verification", compared.text());
      }
      out.println(Json.write(report));
    } else {
      print(answers, out);
      if (compared != null) {
        StatusText.line(out, "verified", compared.text());
      }
    }
    out.flush();
    return answered && (compared == null || compared.equal()) ? Main.DONE : Main.FAILED;
  }

  private static Map<String, @Nullable Object> report(List<ReplicaCalls.Answer> answers) {
    Map<String, @Nullable Object> report = new LinkedHashMap<>();
    report.put("clusterId", clusterId(answers));
    report.put("leader", ReplicaCalls.leader(answers).map(leader -> (long) leader.id()).orElse(0L));
    report.put("term", term(answers));
    report.put("replicas", answers.stream().map(answer -> describe(answer, answers)).toList());
    return report;
  }

  private static String clusterId(List<ReplicaCalls.Answer> answers) {
    return answers.stream()
        .map(ReplicaCalls.Answer::reply)
        .filter(reply -> reply != null && !reply.getClusterId().isEmpty())
        .map(reply -> reply == null ? "" : reply.getClusterId())
        .distinct()
        .collect(Collectors.joining(","));
  }

  private static long term(List<ReplicaCalls.Answer> answers) {
    return answers.stream()
        .mapToLong(answer -> answer.reply() == null ? 0 : answer.reply().getTerm())
        .max()
        .orElse(0);
  }

  private static Map<String, @Nullable Object> describe(
      ReplicaCalls.Answer answer, List<ReplicaCalls.Answer> all) {
    Map<String, @Nullable Object> one = new LinkedHashMap<>();
    AdministrationReply reply = answer.reply();
    one.put("id", (long) answer.id());
    one.put("address", Addresses.text(answer.address()));
    one.put("reachable", reply != null);
    one.put("role", role(answer, all));
    if (reply == null) {
      one.put("error", answer.error());
    } else {
      one.put("clusterId", reply.getClusterId());
      one.put("term", reply.getTerm());
      one.put("leader", (long) reply.getLeader());
      one.put("appliedIndex", reply.getAppliedIndex());
      one.put("lastLogIndex", reply.getLastLogIndex());
      one.put("snapshotIndex", reply.getSnapshotIndex());
      one.put("logBytes", reply.getLogBytes());
      one.put("trouble", reply.getTrouble());
    }
    return one;
  }

  private static String role(ReplicaCalls.Answer answer, List<ReplicaCalls.Answer> all) {
    if (answer.reply() == null) {
      return "unknown";
    }
    if (answer.reply().getClusterId().isEmpty()) {
      return "waiting";
    }
    boolean member =
        ReplicaCalls.voters(all).stream()
            .map(ReplicaAddress::getId)
            .anyMatch(voter -> voter == answer.id());
    if (!member) {
      return "no member";
    }
    return answer.leads() ? "leader" : "follower";
  }

  private static void print(List<ReplicaCalls.Answer> answers, PrintWriter out) {
    String cluster = clusterId(answers);
    StatusText.line(out, "cluster", cluster.isEmpty() ? "(not founded)" : cluster);
    StatusText.line(
        out,
        "leader",
        ReplicaCalls.leader(answers)
                .map(leader -> "replica " + leader.id() + " at " + Addresses.text(leader.address()))
                .orElse("none")
            + ", term "
            + term(answers));
    String form = "%-3s %-21s %-9s %6s %10s %10s %10s %10s  %s%n";
    out.println();
    out.printf(
        form, "id", "address", "role", "term", "applied", "log", "snapshot", "log size", "state");
    for (ReplicaCalls.Answer answer : answers) {
      AdministrationReply reply = answer.reply();
      String id = answer.id() == 0 ? "?" : Integer.toString(answer.id());
      String address = Addresses.text(answer.address());
      if (reply == null) {
        String error = "does not answer: " + answer.error();
        out.printf(form, id, address, "-", "-", "-", "-", "-", "-", error);
      } else {
        out.printf(
            form,
            id,
            address,
            role(answer, answers),
            reply.getTerm(),
            reply.getAppliedIndex(),
            reply.getLastLogIndex(),
            reply.getSnapshotIndex(),
            Sizes.format(reply.getLogBytes()),
            reply.getTrouble().isEmpty() ? "ok" : reply.getTrouble());
      }
    }
  }
}
