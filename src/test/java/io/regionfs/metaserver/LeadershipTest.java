package io.regionfs.metaserver;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.regionfs.metaserver.Leading.Clocks;
import io.regionfs.metaserver.ReplicatedLog.NotLeading;
import io.regionfs.metaserver.state.Namespace;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Tree;
import io.regionfs.model.Errno;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Open;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Renew;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.proto.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a service says and keeps as its replica begins and ceases to lead. */
class LeadershipTest {
  private static final String OTHER = "10.0.0.2:7000";

  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final Replica replica = new Replica();
  private final ElectedLog log = new ElectedLog(replica);
  private final MetadataService service =
      new MetadataService(
          new MetadataOptions("cluster", "here", Duration.ofSeconds(10)),
          replica,
          log,
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
    List<Reply> replies = send(request);
    assertThat(replies).hasSize(1);
    return replies.get(0);
  }

  private List<Reply> send(Request.Builder request) {
    List<Reply> replies = new ArrayList<>();
    service.handle(request.setClientId(5).setVersion(1).build(), replies::add);
    return replies;
  }

  private Request.Builder creation(String name) {
    return Request.newBuilder()
        .setSequence(++sequence)
        .setOperation(
            Operation.newBuilder()
                .setCreate(Tree.creation(ROOT, name, FileType.FILE_TYPE_DIRECTORY)));
  }

  private Request.Builder command(Open open) {
    return Request.newBuilder()
        .setSequence(++sequence)
        .setOperation(Operation.newBuilder().setOpen(open));
  }

  private static Request.Builder rootAttributes() {
    return Request.newBuilder().setQuery(Query.newBuilder().setAttributesOf(ROOT));
  }

  private static Instant instant(Time time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }

  private void assertAskAgain(Reply reply, long term, String leader) {
    assertThat(reply.getErrno()).isEqualTo(Errno.EAGAIN.code());
    assertThat(reply.getLeadership().getTerm()).isEqualTo(term);
    assertThat(reply.getLeadership().getLeader()).isEqualTo(leader);
  }

  @Test
  void whoDoesNotLeadSaysWhoDoes() {
    assertAskAgain(call(rootAttributes()), 0, "");
    log.elect(false, 3, OTHER);
    assertAskAgain(call(rootAttributes()), 3, OTHER);
    assertAskAgain(call(creation("a")), 3, OTHER);
    log.elect(true, 4, "here");
    assertThat(call(rootAttributes()).getErrno()).isZero();
    assertThat(call(creation("a")).getErrno()).isZero();
    log.elect(false, 5, OTHER);
    assertAskAgain(call(creation("b")), 5, OTHER);
  }

  @Test
  void aCommandThatWasNotTakenIsAskedForAgain() {
    log.elect(true, 1, "here");
    log.failWith(new NotLeading("just deposed"), false);
    Request.Builder request = creation("a");
    assertAskAgain(call(request), 1, "here");
    log.failWith(null, false);
    assertThat(call(request).getErrno()).isZero();
  }

  @Test
  void anUnknownFateIsNoOutcome() {
    log.elect(true, 1, "here");
    log.failWith(new IllegalStateException("lost"), true);
    Request.Builder request = creation("a");
    assertThat(call(request).getErrno()).isEqualTo(Errno.EAGAIN.code());
    log.failWith(null, false);
    assertThat(call(request).getErrno()).isZero();
    // With the one that opened the session.
    assertThat(replica.<Long>read(Namespace::commands)).isEqualTo(2);
  }

  @Test
  void aFullLogRefusesOnlyWhatWasNotCarriedOut() {
    log.elect(true, 1, "here");
    Request.Builder first = creation("a");
    Reply answer = call(first);
    log.failWith(new LogFull("64 MiB left"), false);
    assertThat(call(first)).isEqualTo(answer);
    Reply refused = call(creation("b"));
    assertThat(refused.getErrno()).isEqualTo(Errno.ENOSPC.code());
    assertThat(refused.getDetail()).contains("64 MiB left");
    assertThat(call(rootAttributes()).getErrno()).isZero();
    log.failWith(null, false);
    assertThat(call(creation("b")).getErrno()).isZero();
  }

  @Test
  void filesAreReadWhileTheLogIsFull() {
    log.elect(true, 1, "here");
    long inode = call(creation("a")).getAttributes().getInode();
    log.failWith(new LogFull("64 MiB left"), false);
    Open open = Open.newBuilder().setInode(inode).setNode(7).build();
    assertThat(call(command(open)).getAttributes().getInode()).isEqualTo(inode);
    Open write = open.toBuilder().setWrite(true).build();
    assertThat(call(command(write)).getErrno()).isEqualTo(Errno.ENOSPC.code());
    long before = replica.<Long>read(Namespace::commands);
    log.failWith(null, false);
    assertThat(call(creation("b")).getErrno()).isZero();
    assertThat(replica.<Long>read(Namespace::commands))
        .as("the open was made up")
        .isEqualTo(before + 2);
  }

  @Test
  void timesAndNumbersGoOnInTheNextTerm() {
    log.elect(true, 1, "here");
    Reply first = call(creation("a"));
    log.elect(false, 2, OTHER);
    // What the other leader did meanwhile, its clock an hour ahead.
    replica.apply(
        io.regionfs.proto.Command.newBuilder()
            .setStamp(Time.newBuilder().setSeconds(now.plusSeconds(3600).getEpochSecond()))
            .setNewInode(70)
            .setOperation(
                Operation.newBuilder()
                    .setCreate(Tree.creation(ROOT, "b", FileType.FILE_TYPE_DIRECTORY)))
            .build());
    log.elect(true, 3, "here");
    Reply third = call(creation("c"));
    assertThat(third.getAttributes().getInode()).isEqualTo(71);
    assertThat(instant(third.getAttributes().getBtime()))
        .isAfter(now.plusSeconds(3600))
        .isAfter(instant(first.getAttributes().getBtime()));
  }

  @Test
  void everyTermStartsWithFreshLeases() {
    log.elect(true, 1, "here");
    Request.Builder join = Request.newBuilder().setSequence(++sequence);
    join.getMembershipBuilder()
        .setJoin(
            AddNode.newBuilder()
                .setName("a")
                .setKey(1)
                .setRpcAddress("10.0.0.1:1")
                .setDataAddress("10.0.0.1:2"));
    Reply joined = call(join);
    assertThat(joined.getJoined().getTerm()).isEqualTo(1);
    assertThat(joined.getJoined().getCacheLeaseMillis()).isEqualTo(2500);
    log.elect(false, 2, OTHER);
    now = now.plusSeconds(60);
    service.expireLeases();
    log.elect(true, 3, "here");
    now = now.plusSeconds(2);
    service.expireLeases();
    Request.Builder renew = Request.newBuilder();
    renew.getMembershipBuilder().setRenew(Renew.newBuilder().setNode(1));
    Reply renewed = call(renew);
    assertThat(renewed.getRenewed().getExpired()).isFalse();
    assertThat(renewed.getRenewed().getTerm()).isEqualTo(3);
  }

  @Test
  void anotherProtocolVersionIsRefusedWithBothVersions() {
    log.elect(true, 1, "here");
    List<Reply> replies = new ArrayList<>();
    service.handle(rootAttributes().setVersion(7).build(), replies::add);
    assertThat(replies.get(0).getErrno()).isEqualTo(Errno.EPROTONOSUPPORT.code());
    assertThat(replies.get(0).getDetail()).contains("version 7").contains("version 1");
  }
}
