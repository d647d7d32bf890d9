package io.regionfs.daemon;

import io.regionfs.proto.AdministrationReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a replica concludes from the answers of the others to its Hello.
 *
 * <p>A replica with an empty disk founds or enters a cluster only when it is certain that it was
 * not in it before with a disk that is lost: it may have promised votes and entries that are on
 * that disk alone. So all have to be there when a cluster is founded, and later the leader answers
 * for those that are not.
 *
 * @param own as it is on this replica's disk
 * @param joins it never founds a cluster
 */
record Introduction(ReplicaIdentity own, Peers peers, boolean joins) {
  static final String NO_LEADER = "there is no leader";

  /** One of the three is set. */
  record Conclusion(@Nullable ReplicaIdentity member, String waits, String refusal) {
    static Conclusion member(ReplicaIdentity identity) {
      return new Conclusion(identity, "", "");
    }

    static Conclusion waits(String text) {
      return new Conclusion(null, text, "");
    }

    static Conclusion refused(String text) {
      return new Conclusion(null, "", text);
    }
  }

  /**
   * @param answers of those that answered, by number; not this replica's own
   */
  Conclusion conclude(Map<Integer, AdministrationReply> answers) {
    String wrong = contradiction(answers);
    if (!wrong.isEmpty()) {
      return Conclusion.refused(wrong);
    }
    if (!own.clusterId().isEmpty()) {
      return Conclusion.member(own);
    }
    List<AdministrationReply> members =
        answers.values().stream().filter(answer -> !answer.getClusterId().isEmpty()).toList();
    return members.isEmpty() ? found(answers) : enter(members);
  }

  private String contradiction(Map<Integer, AdministrationReply> answers) {
    Set<String> clusters = new TreeSet<>();
    if (!own.clusterId().isEmpty()) {
      clusters.add(own.clusterId());
    }
    for (Map.Entry<Integer, AdministrationReply> entry : answers.entrySet()) {
      AdministrationReply answer = entry.getValue();
      String who = "replica " + entry.getKey() + " at " + address(entry.getKey());
      if (answer.getId() != entry.getKey()) {
        return who + " says that it is replica " + answer.getId() + ": --peers is wrong";
      }
      if (answer.getKnownDisk() != 0 && answer.getKnownDisk() != own.disk()) {
        return lostDisk();
      }
      if (!answer.getClusterId().isEmpty()) {
        clusters.add(answer.getClusterId());
      } else if (own.clusterId().isEmpty() && !joins && differs(answer)) {
        return who
            + " was started with other --peers, "
            + Peers.of(answer.getVotersList()).text()
            + ": start all with the same list";
      }
    }
    if (clusters.size() > 1) {
      return "replicas of different clusters are mixed up ("
          + String.join(", ", clusters)
          + (own.clusterId().isEmpty() ? "" : "; this state directory has " + own.clusterId())
          + "): check --peers and --state-dir";
    }
    return "";
  }

  private boolean differs(AdministrationReply answer) {
    return answer.getVotersCount() > 0 && !Peers.of(answer.getVotersList()).equals(peers);
  }

  private String lostDisk() {
    return "replica "
        + own.id()
        + " is known in its cluster with another disk: if that one is lost, remove the replica"
        + " (regionfs meta remove "
        + own.id()
        + " --meta …) and add it under a new number; it cannot go on with an empty one, as votes"
        + " and entries may have been on the lost disk alone";
  }

  private String address(int id) {
    var address = peers.addresses().get(id);
    return address == null ? "?" : Addresses.text(address);
  }

  private Conclusion enter(List<AdministrationReply> members) {
    for (AdministrationReply member : members) {
      if (member.getLeader() != 0 && member.getLeader() == member.getId()) {
        return enter(member);
      }
    }
    boolean nothingHappened =
        members.stream().allMatch(m -> m.getLastLogIndex() == 0 && m.getSnapshotIndex() == 0);
    if (nothingHappened) {
      return enter(members.get(0)); // it is being founded, and needs this replica's vote
    }
    return Conclusion.waits("waits: " + NO_LEADER + " in its cluster " + id(members));
  }

  private static String id(List<AdministrationReply> members) {
    return members.get(0).getClusterId();
  }

  private Conclusion enter(AdministrationReply member) {
    Peers voters = Peers.of(member.getVotersList());
    var known = voters.addresses().get(own.id());
    if (known == null) { // it takes no part until the leader takes it in
      return Conclusion.member(own.in(member.getClusterId(), List.of()));
    }
    if (!Addresses.text(known).equals(own.address())) {
      return Conclusion.refused(
          "the cluster knows replica "
              + own.id()
              + " at "
              + Addresses.text(known)
              + ", not at "
              + own.address()
              + ": give each replica a number of its own");
    }
    return Conclusion.member(own.in(member.getClusterId(), entries(voters)));
  }

  private Conclusion found(Map<Integer, AdministrationReply> answers) {
    List<String> missing = new ArrayList<>();
    for (int id : peers.addresses().keySet()) {
      if (id != own.id() && !answers.containsKey(id)) {
        missing.add(id + " at " + address(id));
      }
    }
    if (joins) {
      return Conclusion.waits("waits for a replica that has a cluster to join");
    }
    if (!missing.isEmpty()) {
      return Conclusion.waits("waits for replica " + String.join(", ", missing));
    }
    if (own.id() != peers.lowest()) {
      return Conclusion.waits("waits for replica " + peers.lowest() + " to found the cluster");
    }
    return Conclusion.member(own.in(UUID.randomUUID().toString(), entries(peers)));
  }

  private static List<String> entries(Peers peers) {
    return List.of(peers.text().split(",", -1));
  }
}
