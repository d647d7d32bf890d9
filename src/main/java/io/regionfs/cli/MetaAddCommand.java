package io.regionfs.cli;

import io.regionfs.daemon.Addresses;
import io.regionfs.daemon.CommandFailure;
import io.regionfs.daemon.Peers;
import io.regionfs.daemon.ReplicaCalls;
import io.regionfs.proto.Administration;
import io.regionfs.proto.ReplicaAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Takes a replica in. */
@Command(
    name = "add",
    sortOptions = false,
    description = {
      "Take a replica into a metadata service.",
      "%nStart it first: regionfs meta --id ID --listen IP:PORT --join --peers … with itself and"
          + " the members. It catches up from the leader, then votes. Clients are not"
          + " disturbed.%n"
    })
final class MetaAddCommand implements Callable<Integer> {
  @Mixin private final ReplicaAccess access = new ReplicaAccess();

  @Parameters(
      paramLabel = "ID=IP:PORT",
      description = "The new replica's number, not used before, and where it answers calls.")
  private String replica = "";

  @Override
  public Integer call() throws IOException, InterruptedException {
    Map.Entry<Integer, InetSocketAddress> added = access.parsed(() -> Peers.entry(replica));
    return access.use(null, replicas -> add(replicas, added.getKey(), added.getValue()));
  }

  private int add(ReplicaCalls replicas, int id, InetSocketAddress address)
      throws InterruptedException {
    String text = Addresses.text(address);
    List<ReplicaAddress> voters = ReplicaCalls.voters(replicas.status());
    for (ReplicaAddress voter : voters) {
      if (voter.getId() == id) {
        throw new CommandFailure(
            "replica " + id + " is a member already, at " + voter.getAddress());
      }
      if (voter.getAddress().equals(text)) {
        throw new CommandFailure("at " + text + " is replica " + voter.getId() + " already");
      }
    }
    ReplicaAddress wanted = ReplicaAddress.newBuilder().setId(id).setAddress(text).build();
    new ReplicaChange(replicas, access.out())
        .carryOut(
            "adding replica " + id + " at " + text + ": it has to catch up",
            Administration.newBuilder().setAdd(wanted),
            answers ->
                ReplicaCalls.leader(answers)
                    .map(ReplicaCalls.Answer::reply)
                    .filter(reply -> reply.getVotersList().contains(wanted))
                    .isPresent());
    return Main.DONE;
  }
}
