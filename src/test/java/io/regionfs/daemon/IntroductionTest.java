package io.regionfs.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.proto.AdministrationReply;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class IntroductionTest {
  private static final Peers PEERS =
      Peers.parse(List.of("1=127.0.0.1:7000", "2=127.0.0.1:7002", "3=127.0.0.1:7004"));
  private static final String CLUSTER = "c1";
  private static final long DISK = 77;

  private static ReplicaIdentity fresh(int id) {
    String address = Addresses.text(Objects.requireNonNull(PEERS.addresses().get(id)));
    return new ReplicaIdentity(id, address, DISK, "", List.of());
  }

  private static Introduction introduction(int id) {
    return new Introduction(fresh(id), PEERS, false);
  }

  private static ReplicaIdentity member(Introduction.Conclusion conclusion) {
    return Objects.requireNonNull(conclusion.member(), conclusion.toString());
  }

  private static AdministrationReply unfounded(int id) {
    return AdministrationReply.newBuilder().setId(id).addAllVoters(PEERS.messages()).build();
  }

  private static AdministrationReply.Builder member(int id) {
    return unfounded(id).toBuilder().setClusterId(CLUSTER);
  }

  private static AdministrationReply leader(int id) {
    return member(id).setLeader(id).setTerm(3).setLastLogIndex(9).build();
  }

  @Test
  void theLowestFoundsWhenAllAreThere() {
    Introduction first = introduction(1);
    assertThat(first.conclude(Map.of()).waits()).contains("2 at 127.0.0.1:7002", "3 at ");
    assertThat(first.conclude(Map.of(2, unfounded(2))).waits()).contains("3 at 127.0.0.1:7004");
    ReplicaIdentity founder = member(first.conclude(Map.of(2, unfounded(2), 3, unfounded(3))));
    assertThat(founder.clusterId()).isNotEmpty();
    assertThat(founder.voters()).hasSize(3);
    assertThat(introduction(2).conclude(Map.of(1, unfounded(1), 3, unfounded(3))).waits())
        .contains("waits for replica 1");
  }

  @Test
  void theOthersFollowTheFounder() {
    AdministrationReply founder = member(1).build();
    ReplicaIdentity second = member(introduction(2).conclude(Map.of(1, founder)));
    assertThat(second.clusterId()).isEqualTo(CLUSTER);
    assertThat(second.voters()).hasSize(3);
  }

  @Test
  void anEmptyDiskEntersOnlyWhatHasALeader() {
    AdministrationReply lagging = member(1).setLastLogIndex(5).build();
    assertThat(introduction(2).conclude(Map.of(1, lagging)).waits()).contains("leader");
    assertThat(introduction(2).conclude(Map.of(1, lagging, 3, leader(3))).member()).isNotNull();
  }

  @Test
  void aLostDiskIsNoticed() {
    AdministrationReply knows = leader(1).toBuilder().setKnownDisk(5).build();
    assertThat(introduction(2).conclude(Map.of(1, knows)).refusal())
        .contains("another disk", "meta remove 2");
    AdministrationReply same = leader(1).toBuilder().setKnownDisk(DISK).build();
    assertThat(introduction(2).conclude(Map.of(1, same)).member()).isNotNull();
  }

  @Test
  void twoClustersAreNotMixed() {
    AdministrationReply other = leader(3).toBuilder().setClusterId("c2").build();
    assertThat(introduction(2).conclude(Map.of(1, leader(1), 3, other)).refusal())
        .contains("c1", "c2", "mixed up");
    Introduction old =
        new Introduction(fresh(2).in("c3", List.of("2=127.0.0.1:7002")), PEERS, false);
    assertThat(old.conclude(Map.of(1, leader(1))).refusal()).contains("c1", "c3");
    assertThat(old.conclude(Map.of()).member()).isEqualTo(old.own());
  }

  @Test
  void otherListsAreNoticed() {
    Peers others = Peers.parse(List.of("1=127.0.0.1:7000", "2=127.0.0.1:7002", "3=127.0.0.1:9"));
    AdministrationReply wrong =
        AdministrationReply.newBuilder().setId(1).addAllVoters(others.messages()).build();
    assertThat(introduction(2).conclude(Map.of(1, wrong)).refusal())
        .contains("other --peers", "3=127.0.0.1:9");
    assertThat(introduction(2).conclude(Map.of(1, unfounded(3))).refusal())
        .contains("says that it is replica 3");
    AdministrationReply moved =
        AdministrationReply.newBuilder(leader(1))
            .clearVoters()
            .addAllVoters(Peers.parse(List.of("1=127.0.0.1:7000", "2=127.0.0.1:11")).messages())
            .build();
    assertThat(introduction(2).conclude(Map.of(1, moved)).refusal())
        .contains("knows replica 2 at 127.0.0.1:11");
  }

  @Test
  void whoJoinsWaitsToBeTakenIn() {
    Introduction joins = new Introduction(fresh(3), PEERS, true);
    assertThat(joins.conclude(Map.of()).waits()).contains("has a cluster");
    AdministrationReply without =
        leader(1).toBuilder()
            .clearVoters()
            .addAllVoters(Peers.parse(List.of("1=127.0.0.1:7000")).messages())
            .build();
    ReplicaIdentity joined = member(joins.conclude(Map.of(1, without)));
    assertThat(joined.clusterId()).isEqualTo(CLUSTER);
    assertThat(joined.voters()).isEmpty();
  }
}
