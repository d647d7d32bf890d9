package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Peers;
import io.regionfs.daemon.ReplicaCalls;
import io.regionfs.proto.Administration;
import io.regionfs.proto.ReplicaAddress;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Lets a replica go. */
@Command(
    name = "remove",
    sortOptions = false,
    description = {
      "Remove a replica from a metadata service.",
      "%nOne that runs can be ended afterwards; one that is lost need not run. Its number is not"
          + " used again. If it leads, another takes over first.%n"
    })
final class MetaRemoveCommand implements Callable<Integer> {
  @Mixin private final ReplicaAccess access = new ReplicaAccess();

  @Parameters(paramLabel = "ID", description = "The replica's number.")
  private String replica = "";

  @Override
  public Integer call() throws IOException, InterruptedException {
    int id = access.parsed(() -> Peers.id(replica));
    return access.use(null, replicas -> remove(replicas, id));
  }

  private int remove(ReplicaCalls replicas, int id) throws InterruptedException {
    List<ReplicaCalls.Answer> answers = replicas.status();
    check(answers, ReplicaCalls.voters(answers), id);
    new ReplicaChange(replicas, access.out())
        .carryOut(
            "removing replica " + id,
            Administration.newBuilder().setRemove(id),
            now ->
                ReplicaCalls.leader(now)
                    .map(ReplicaCalls.Answer::reply)
                    .filter(reply -> reply.getVotersList().stream().noneMatch(v -> v.getId() == id))
                    .isPresent());
    return Main.DONE;
  }

  private static void check(
      List<ReplicaCalls.Answer> answers, List<ReplicaAddress> voters, int id) {
    if (voters.isEmpty()) {
      ReplicaCalls.needLeader(answers);
    }
    List<Integer> ids = voters.stream().map(ReplicaAddress::getId).sorted().toList();
    if (!ids.contains(id)) {
      throw new CommandFailure(
          "replica "
              + id
              + " is no member; the members are "
              + ids.stream().map(String::valueOf).collect(Collectors.joining(", ")));
    }
    if (ids.size() == 1) {
      throw new CommandFailure(
          "replica " + id + " is the only one: add another first, or end it with its cluster");
    }
    List<Integer> rest = ids.stream().filter(other -> other != id).toList();
    long answering =
        rest.stream()
            .filter(
                other ->
                    ReplicaCalls.byId(answers, other).filter(a -> a.reply() != null).isPresent())
            .count();
    if (answering <= rest.size() / 2) {
      throw new CommandFailure(
          "without replica "
              + id
              + " there would be no majority: of the other "
              + rest.size()
              + " only "
              + answering
              + (answering == 1 ? " answers" : " answer")
              + ". Start those that do not, or remove them first");
    }
  }
}
