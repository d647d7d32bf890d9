package io.regionfs.metaserver;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.regionfs.metaserver.Leading.Clocks;
import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Tree;
import io.regionfs.model.Errno;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.FileType;
import io.regionfs.proto.HomeCall;
import io.regionfs.proto.Membership;
import io.regionfs.proto.NodeInfo;
import io.regionfs.proto.Open;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Ping;
import io.regionfs.proto.Query;
import io.regionfs.proto.Renew;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.rpc.RpcTransport;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Leases, stamps and refusals of the service, with a clock that the test moves. */
class MetadataServiceTest {
  private static final Duration LEASE = Duration.ofSeconds(10);

  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final Replica replica = new Replica();
  private final MetadataService service =
      new MetadataService(
          new MetadataOptions("cluster", "here", LEASE),
          replica,
          new LocalLog(replica),
          null,
          null,
          new CompositeMeterRegistry(),
          new Clocks(() -> now, () -> now));
  private long sequence;

  @BeforeEach
  void openSession() {
    replica.apply(Tree.openSession(5));
  }

  @AfterEach
  void close() {
    service.close();
  }

  private Reply call(Request.Builder request) {
    List<Reply> replies = new ArrayList<>();
    service.handle(request.setClientId(5).build(), replies::add);
    assertThat(replies).hasSize(1);
    return replies.get(0);
  }

  private Reply command(Operation.Builder operation) {
    return call(Request.newBuilder().setSequence(++sequence).setOperation(operation));
  }

  private Reply query(Query.Builder query) {
    return call(Request.newBuilder().setQuery(query));
  }

  private Reply membership(Membership.Builder membership) {
    return call(Request.newBuilder().setSequence(++sequence).setMembership(membership));
  }

  private Reply join(String name, long key) {
    return membership(
        Membership.newBuilder()
            .setJoin(
                AddNode.newBuilder()
                    .setName(name)
                    .setKey(key)
                    .setRpcAddress("10.0.0.1:1")
                    .setDataAddress("10.0.0.1:2")));
  }

  private Reply renew(int node) {
    return membership(
        Membership.newBuilder()
            .setRenew(Renew.newBuilder().setNode(node).setCapacityBytes(100).setUsedBytes(7)));
  }

  /** Lets time pass as the sweeper sees it. */
  private void pass(Duration duration) {
    Instant end = now.plus(duration);
    while (now.isBefore(end)) {
      now = now.plusSeconds(1);
      service.expireLeases();
    }
  }

  private List<NodeInfo> nodes() {
    return query(Query.newBuilder().setNodes(Ping.getDefaultInstance())).getNodes().getNodesList();
  }

  private long capacity() {
    return query(Query.newBuilder().setSpace(Ping.getDefaultInstance()))
        .getSpace()
        .getCapacityBytes();
  }

  private Reply create(String name) {
    return command(
        Operation.newBuilder().setCreate(Tree.creation(ROOT, name, FileType.FILE_TYPE_FILE)));
  }

  @Test
  void joiningTellsTheTerms() {
    Reply reply = join("a", 1);
    assertThat(reply.getJoined().getNode()).isEqualTo(1);
    assertThat(reply.getJoined().getClusterId()).isEqualTo("cluster");
    assertThat(reply.getJoined().getLeaseMillis()).isEqualTo(10_000);
  }

  @Test
  void aSilentNodeIsExpiredAndMayComeBack() {
    join("a", 1);
    join("b", 2);
    renew(1);
    renew(2);
    assertThat(capacity()).isEqualTo(200);
    pass(Duration.ofSeconds(6));
    assertThat(renew(2).getRenewed().getExpired()).isFalse();
    pass(Duration.ofSeconds(6));
    assertThat(nodes()).extracting(NodeInfo::getAlive).containsExactly(false, true);
    assertThat(capacity()).isEqualTo(100);
    assertThat(renew(1).getRenewed().getExpired()).isTrue();
    assertThat(join("a", 1).getJoined().getNode()).isEqualTo(1);
    assertThat(renew(1).getRenewed().getExpired()).isFalse();
    assertThat(nodes()).extracting(NodeInfo::getAlive).containsExactly(true, true);
  }

  @Test
  void theOpensOfAnExpiredNodeEnd() {
    join("a", 1);
    long file = create("f").getAttributes().getInode();
    Operation.Builder open =
        Operation.newBuilder().setOpen(Open.newBuilder().setInode(file).setNode(1));
    assertThat(command(open).getErrno()).isZero();
    pass(Duration.ofSeconds(12));
    assertThat(command(open).getErrno()).isEqualTo(Errno.ESTALE.code());
  }

  @Test
  void aServiceThatWasStoppedGivesEveryoneAFreshLease() {
    join("a", 1);
    now = now.plus(Duration.ofHours(1));
    service.expireLeases();
    assertThat(nodes()).extracting(NodeInfo::getAlive).containsExactly(true);
    pass(Duration.ofSeconds(12));
    assertThat(nodes()).extracting(NodeInfo::getAlive).containsExactly(false);
  }

  @Test
  void aNewLeaderGivesMembersAFreshLease() {
    join("a", 1);
    try (MetadataService next =
        new MetadataService(
            new MetadataOptions("cluster", "there", LEASE),
            replica,
            new LocalLog(replica),
            null,
            null,
            new CompositeMeterRegistry(),
            new Clocks(() -> now, () -> now))) {
      List<Reply> replies = new ArrayList<>();
      Membership.Builder renew = Membership.newBuilder().setRenew(Renew.newBuilder().setNode(1));
      next.handle(Request.newBuilder().setMembership(renew).build(), replies::add);
      assertThat(replies.get(0).getRenewed().getExpired()).isFalse();
    }
  }

  @Test
  void renewalsNameTheDead() {
    join("a", 1);
    long file = create("f").getAttributes().getInode();
    command(
        Operation.newBuilder()
            .setRemove(
                io.regionfs.proto.Remove.newBuilder().setParent(ROOT).setName(Tree.bytes("f"))));
    assertThat(renew(1).getRenewed().getDeadInodesList()).containsExactly(file);
  }

  @Test
  void stampsGrowEvenIfTheClockStandsOrGoesBack() {
    Instant last = Instant.EPOCH;
    for (int i = 0; i < 5; i++) {
      io.regionfs.proto.Time time = create("f" + i).getAttributes().getBtime();
      Instant made = Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
      assertThat(made).isAfter(last);
      last = made;
      now = now.minusSeconds(i);
    }
  }

  @Test
  void aRequestThatComesTwiceCountsOnce() {
    Request.Builder request =
        Request.newBuilder()
            .setSequence(1)
            .setOperation(
                Operation.newBuilder()
                    .setCreate(Tree.creation(ROOT, "f", FileType.FILE_TYPE_FILE)));
    Reply first = call(request);
    assertThat(first.getErrno()).isZero();
    assertThat(call(request)).isEqualTo(first);
    // With the one that opened the session.
    assertThat(replica.<Long>read(Namespace::commands)).isEqualTo(2);
  }

  @Test
  void whatIsNoCallOfTheServiceIsRefused() {
    assertThat(call(Request.newBuilder()).getErrno()).isEqualTo(Errno.EINVAL.code());
    assertThat(call(Request.newBuilder().setHome(HomeCall.getDefaultInstance())).getErrno())
        .isEqualTo(Errno.EINVAL.code());
    assertThat(query(Query.newBuilder()).getErrno()).isEqualTo(Errno.EINVAL.code());
    assertThat(command(Operation.newBuilder()).getErrno()).isEqualTo(Errno.EINVAL.code());
    assertThat(membership(Membership.newBuilder()).getErrno()).isEqualTo(Errno.EINVAL.code());
    Operation.Builder forged = Operation.newBuilder();
    forged.getExpireNodeBuilder().setNode(1);
    assertThat(command(forged).getErrno()).isEqualTo(Errno.EINVAL.code());
    assertThat(call(Request.newBuilder().setOperation(Operation.getDefaultInstance())).getErrno())
        .isEqualTo(Errno.EINVAL.code());
    assertThat(call(Request.newBuilder().setPing(Ping.getDefaultInstance())).getErrno()).isZero();
  }

  @Test
  void aListOfVeryManyNodesKeepsTheLivingOnes() {
    join("first", 1);
    for (int i = 2; i < 2000; i++) {
      join("node-with-a-rather-long-name-" + i, i);
      membership(Membership.newBuilder().setLeave(i));
    }
    Reply reply = query(Query.newBuilder().setNodes(Ping.getDefaultInstance()));
    assertThat(reply.getSerializedSize()).isLessThan(RpcTransport.MAX_MESSAGE_BYTES);
    assertThat(reply.getNodes().getNodesList())
        .extracting(NodeInfo::getNode)
        .isSorted()
        .contains(1, 1999);
  }
}
