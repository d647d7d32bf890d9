package io.regionfs.cli;

import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Peers;
import io.regionfs.daemon.ReplicaCalls;
import io.regionfs.proto.Administration;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Hands leadership over. */
@Command(
    name = "transfer",
    sortOptions = false,
    description = {
      "Hand the leadership of a metadata service to another replica.",
      "%nFor clients it is a pause of a fraction of a second.%n"
    })
final class MetaTransferCommand implements Callable<Integer> {
  @Mixin private final ReplicaAccess access = new ReplicaAccess();

  @Parameters(
      paramLabel = "ID",
      arity = "0..1",
      description = "The new leader. Default: any other replica.")
  private String replica = "";

  @Override
  public Integer call() throws IOException, InterruptedException {
    int id = access.parsed(() -> replica.isEmpty() ? 0 : Peers.id(replica));
    return access.use(null, replicas -> transfer(replicas, id));
  }

  private int transfer(ReplicaCalls replicas, int id) throws InterruptedException {
    List<ReplicaCalls.Answer> answers = replicas.status();
    int old = ReplicaCalls.needLeader(answers).id();
    if (id != 0) {
      check(answers, id);
    } else if (ReplicaCalls.voters(answers).size() == 1) {
      throw new CommandFailure("replica " + old + " is the only one");
    }
    new ReplicaChange(replicas, access.out())
        .carryOut(
            "replica " + old + " hands over" + (id == 0 ? "" : " to replica " + id),
            Administration.newBuilder().setTransfer(id),
            now -> isDone(ReplicaCalls.leader(now), old, id));
    access.out().println("replica " + ReplicaCalls.needLeader(replicas.status()).id() + " leads");
    access.out().flush();
    return Main.DONE;
  }

  private static boolean isDone(Optional<ReplicaCalls.Answer> leader, int old, int wanted) {
    return leader.isPresent()
        && (wanted == 0 ? leader.get().id() != old : leader.get().id() == wanted);
  }

  private static void check(List<ReplicaCalls.Answer> answers, int id) {
    if (ReplicaCalls.voters(answers).stream().noneMatch(voter -> voter.getId() == id)) {
      throw new CommandFailure("replica " + id + " is no member: see 'regionfs meta status'");
    }
    Optional<ReplicaCalls.Answer> heir = ReplicaCalls.byId(answers, id);
    if (heir.isEmpty() || heir.get().reply() == null) {
      throw new CommandFailure("replica " + id + " does not answer, so it cannot lead");
    }
  }
}
