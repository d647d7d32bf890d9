package io.regionfs.metaserver;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.regionfs.metaserver.Leading.Clocks;
import io.regionfs.metaserver.state.Replica;
import io.regionfs.metaserver.state.Tree;
import io.regionfs.model.Errno;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.FileType;
import io.regionfs.proto.ListQuery;
import io.regionfs.proto.LookupQuery;
import io.regionfs.proto.Membership;
import io.regionfs.proto.Open;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Recall;
import io.regionfs.proto.Remove;
import io.regionfs.proto.Rename;
import io.regionfs.proto.Renew;
import io.regionfs.proto.Reply;
import io.regionfs.proto.Request;
import io.regionfs.proto.SetAttributes;
import io.regionfs.rpc.RpcHandler;
import io.regionfs.rpc.RpcResponder;
import io.regionfs.rpc.local.LocalTransport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Grants, recalls and what waits for them, with a clock that the test moves. */
@SuppressWarnings("MustBeClosedChecker") // the transport closes its servers
class CacheLeasesTest {
  private static final Duration LEASE = Duration.ofSeconds(10);
  private static final long CACHE_LEASE_MILLIS = 2500;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final Replica replica = new Replica();
  private final ElectedLog log = new ElectedLog(replica);
  private final LocalTransport transport = new LocalTransport();
  private final MetadataService service =
      new MetadataService(
          new MetadataOptions("cluster", "here", LEASE),
          replica,
          log,
          null,
          transport,
          new CompositeMeterRegistry(),
          new Clocks(() -> now, () -> now));
  private final FakeNode a = new FakeNode();
  private final FakeNode b = new FakeNode();
  private long sequence;
  private long directory;
  private long other;
  private long file;

  /** Answers recalls, or keeps them waiting. */
  private static final class FakeNode implements RpcHandler {
    final List<Recall> recalls = new CopyOnWriteArrayList<>();
    final List<RpcResponder> unanswered = new CopyOnWriteArrayList<>();
    volatile boolean answers = true;
    int id;

    @Override
    public void handle(Request request, RpcResponder responder) {
      recalls.add(request.getRecall());
      if (answers) {
        responder.reply(Reply.getDefaultInstance());
      } else {
        unanswered.add(responder);
      }
    }

    void answerNow() {
      answers = true;
      unanswered.forEach(responder -> responder.reply(Reply.getDefaultInstance()));
      unanswered.clear();
    }

    List<Long> recalled() {
      return recalls.stream()
          .flatMap(recall -> recall.getInodesList().stream())
          .distinct()
          .toList();
    }
  }

  @BeforeEach
  void start() throws IOException {
    replica.apply(Tree.openSession(5));
    log.elect(true, 1, "here");
    join(a, "a");
    join(b, "b");
    directory = done(create(ROOT, "d", FileType.FILE_TYPE_DIRECTORY)).getAttributes().getInode();
    other = done(create(ROOT, "e", FileType.FILE_TYPE_DIRECTORY)).getAttributes().getInode();
    file = done(create(directory, "f", FileType.FILE_TYPE_FILE)).getAttributes().getInode();
  }

  @AfterEach
  void close() {
    service.close();
    transport.close();
  }

  private void join(FakeNode node, String name) throws IOException {
    InetSocketAddress address =
        transport.serve(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), node).address();
    AddNode identity =
        AddNode.newBuilder()
            .setName(name)
            .setKey(name.hashCode())
            .setRpcAddress("127.0.0.1:" + address.getPort())
            .setDataAddress("127.0.0.1:1")
            .build();
    node.id = done(membership(Membership.newBuilder().setJoin(identity))).getJoined().getNode();
  }

  private List<Reply> send(Request.Builder request) {
    List<Reply> replies = new CopyOnWriteArrayList<>();
    service.handle(request.setClientId(5).setVersion(1).build(), replies::add);
    return replies;
  }

  private static void await(BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited too long").isLessThan(end);
      LockSupport.parkNanos(1_000_000);
    }
  }

  private static Reply answer(List<Reply> replies) {
    await(() -> !replies.isEmpty());
    assertThat(replies).hasSize(1);
    return replies.get(0);
  }

  private static Reply done(List<Reply> replies) {
    Reply reply = answer(replies);
    assertThat(reply.getErrno()).as(reply.getDetail()).isZero();
    return reply;
  }

  private List<Reply> membership(Membership.Builder membership) {
    return send(Request.newBuilder().setSequence(++sequence).setMembership(membership));
  }

  private Reply renew(FakeNode node) {
    return answer(
        membership(Membership.newBuilder().setRenew(Renew.newBuilder().setNode(node.id))));
  }

  private List<Reply> command(Operation.Builder operation) {
    return send(Request.newBuilder().setSequence(++sequence).setOperation(operation));
  }

  private List<Reply> create(long parent, String name, FileType type) {
    return command(Operation.newBuilder().setCreate(Tree.creation(parent, name, type)));
  }

  private static Operation.Builder chmod(long inode, int mode) {
    return Operation.newBuilder()
        .setSetAttributes(SetAttributes.newBuilder().setInode(inode).setMode(mode));
  }

  private List<Reply> ask(FakeNode node, Query.Builder query) {
    return send(Request.newBuilder().setNode(node.id).setQuery(query));
  }

  private static Query.Builder attributes(long inode) {
    return Query.newBuilder().setAttributesOf(inode);
  }

  private static Query.Builder lookup(long parent, String name) {
    return Query.newBuilder()
        .setLookup(LookupQuery.newBuilder().setParent(parent).setName(Tree.bytes(name)));
  }

  private List<Long> granted(FakeNode node, Query.Builder query) {
    Reply reply = answer(ask(node, query));
    assertThat(reply.getGrant().getTerm()).isEqualTo(reply.hasGrant() ? 1 : 0);
    return reply.getGrant().getInodesList();
  }

  private void pass(long millis) {
    now = now.plusMillis(millis);
    service.tick();
  }

  @Test
  void answersComeWithLeasesOnWhatTheyAreAbout() {
    assertThat(granted(a, attributes(file))).containsExactly(file);
    assertThat(granted(a, lookup(directory, "f"))).containsExactly(directory, file);
    assertThat(granted(a, lookup(directory, "absent"))).containsExactly(directory);
    assertThat(granted(a, lookup(999, "absent"))).isEmpty();
    assertThat(granted(a, attributes(999))).isEmpty();
    assertThat(granted(a, Query.newBuilder().setXattrNamesOf(file))).containsExactly(file);
    Query.Builder list = Query.newBuilder().setList(ListQuery.newBuilder().setDirectory(directory));
    assertThat(granted(a, list)).containsExactly(directory);
  }

  @Test
  void whoIsNoMemberOrHasNoLeaseIsGrantedNothing() {
    FakeNode stranger = new FakeNode();
    assertThat(granted(stranger, attributes(file))).isEmpty();
    stranger.id = 77;
    assertThat(granted(stranger, attributes(file))).isEmpty();
    pass(2 * CACHE_LEASE_MILLIS);
    assertThat(granted(a, attributes(file))).isEmpty();
    renew(a);
    assertThat(granted(a, attributes(file))).containsExactly(file);
    done(membership(Membership.newBuilder().setLeave(a.id)));
    assertThat(granted(a, attributes(file))).isEmpty();
  }

  @Test
  void whatItsHomeKnowsBetterIsNotGranted() {
    Open open = Open.newBuilder().setInode(file).setNode(b.id).setWrite(true).build();
    done(command(Operation.newBuilder().setOpen(open)));
    assertThat(granted(a, attributes(file))).isEmpty();
    assertThat(granted(a, lookup(directory, "f"))).containsExactly(directory);
    assertThat(granted(a, Query.newBuilder().setXattrNamesOf(file))).containsExactly(file);
  }

  @Test
  void openingForWritingIsAChange() {
    granted(a, attributes(file));
    Open open = Open.newBuilder().setInode(file).setNode(b.id).setWrite(true).build();
    done(command(Operation.newBuilder().setOpen(open)));
    assertThat(a.recalled()).containsExactly(file);
  }

  @Test
  void aChangeIsSeenByNobodyBeforeAllHaveForgotten() {
    a.answers = false;
    granted(a, attributes(file));
    List<Reply> changed = command(chmod(file, 0600));
    List<Reply> asked = ask(b, attributes(file));
    List<Reply> alsoNamed = ask(b, lookup(directory, "f"));
    await(() -> !a.unanswered.isEmpty());
    assertThat(a.recalls.get(0).getInodesList()).containsExactly(file);
    assertThat(a.recalls.get(0).getTerm()).isEqualTo(1);
    assertThat(done(ask(b, attributes(directory)))).isNotNull();
    assertThat(changed).isEmpty();
    assertThat(asked).isEmpty();
    assertThat(alsoNamed).isEmpty();
    a.answerNow();
    assertThat(done(changed).getAttributes().getMode()).isEqualTo(0600);
    assertThat(done(asked).getAttributes().getMode()).isEqualTo(0600);
    assertThat(done(alsoNamed).getAttributes().getMode()).isEqualTo(0600);
  }

  @Test
  void aNodeThatDoesNotAnswerIsWaitedForAsLongAsItsLease() {
    a.answers = false;
    granted(a, attributes(file));
    List<Reply> changed = command(chmod(file, 0600));
    pass(CACHE_LEASE_MILLIS);
    assertThat(changed).isEmpty();
    pass(CACHE_LEASE_MILLIS / 10);
    done(changed);
    renew(b);
    assertThat(granted(b, attributes(file))).containsExactly(file);
  }

  @Test
  void whoOwesAnAnswerIsNotRenewedUntilItGivesIt() {
    a.answers = false;
    granted(a, attributes(file));
    List<Reply> changed = command(chmod(file, 0600));
    pass(1000);
    assertThat(renew(a).getErrno()).isZero();
    pass(1000);
    assertThat(renew(a).getErrno()).isEqualTo(Errno.EAGAIN.code());
    pass(1700);
    done(changed);
    assertThat(renew(a).getErrno()).isEqualTo(Errno.EAGAIN.code());
    assertThat(granted(a, attributes(directory))).isEmpty();
    a.answerNow();
    await(() -> renew(a).getErrno() == 0);
    assertThat(granted(a, attributes(directory))).containsExactly(directory);
  }

  @Test
  void theActorIsNotRecalledForWhatItHasForgotten() {
    granted(a, attributes(file));
    granted(a, attributes(directory));
    granted(b, attributes(file));
    Request.Builder request =
        Request.newBuilder()
            .setSequence(++sequence)
            .setNode(a.id)
            .addForgotten(file)
            .setOperation(chmod(file, 0600));
    done(send(request));
    assertThat(a.recalled()).isEmpty();
    assertThat(b.recalled()).containsExactly(file);
    done(
        send(
            Request.newBuilder()
                .setSequence(++sequence)
                .setNode(a.id)
                .setOperation(chmod(directory, 0700))));
    assertThat(a.recalled()).containsExactly(directory);
  }

  @Test
  void whatIsChangedOftenIsNotGranted() {
    granted(a, attributes(file));
    done(command(chmod(file, 0600)));
    assertThat(granted(a, attributes(file))).isEmpty();
    done(command(chmod(file, 0700)));
    assertThat(a.recalls).hasSize(1);
    pass(300);
    assertThat(granted(a, attributes(file))).containsExactly(file);
  }

  @Test
  void aRefusalThatTellsOfAChangeWaitsWithIt() {
    a.answers = false;
    granted(a, lookup(directory, "g"));
    List<Reply> created = create(directory, "g", FileType.FILE_TYPE_DIRECTORY);
    List<Reply> refused = create(directory, "g", FileType.FILE_TYPE_DIRECTORY);
    List<Reply> notEmpty =
        command(
            Operation.newBuilder()
                .setRemove(
                    Remove.newBuilder()
                        .setParent(ROOT)
                        .setName(Tree.bytes("d"))
                        .setDirectory(true)));
    await(() -> !a.unanswered.isEmpty());
    assertThat(created).isEmpty();
    assertThat(refused).isEmpty();
    assertThat(notEmpty).isEmpty();
    a.answerNow();
    done(created);
    assertThat(answer(refused).getErrno()).isEqualTo(Errno.EEXIST.code());
    assertThat(answer(notEmpty).getErrno()).isEqualTo(Errno.ENOTEMPTY.code());
  }

  @Test
  void aMoveIsSeenInBothDirectoriesAtOnce() {
    a.answers = false;
    granted(a, lookup(directory, "f"));
    List<Reply> moved =
        command(
            Operation.newBuilder()
                .setRename(
                    Rename.newBuilder()
                        .setOldParent(directory)
                        .setOldName(Tree.bytes("f"))
                        .setNewParent(other)
                        .setNewName(Tree.bytes("f"))));
    List<Reply> found = ask(b, lookup(other, "f"));
    // It builds on the move, and tells of it.
    List<Reply> next = create(other, "g", FileType.FILE_TYPE_DIRECTORY);
    List<Reply> nextFound = ask(b, lookup(other, "g"));
    await(() -> !a.unanswered.isEmpty());
    for (List<Reply> replies : Arrays.asList(moved, found, next, nextFound)) {
      assertThat(replies).isEmpty();
    }
    a.answerNow();
    done(moved);
    done(found);
    done(next);
    done(nextFound);
  }

  @Test
  void aRepeatedCommandJoinsTheOneUnderWay() {
    a.answers = false;
    granted(a, attributes(file));
    Request.Builder request =
        Request.newBuilder().setSequence(++sequence).setOperation(chmod(file, 0600));
    List<Reply> first = send(request);
    List<Reply> second = send(request);
    await(() -> !a.unanswered.isEmpty());
    assertThat(first).isEmpty();
    assertThat(second).isEmpty();
    a.answerNow();
    assertThat(done(second)).isEqualTo(done(first));
  }

  @Test
  void whatIsHeldWhenTheTermEndsIsAskedAgain() {
    a.answers = false;
    granted(a, attributes(file));
    List<Reply> changed = command(chmod(file, 0600));
    List<Reply> asked = ask(b, attributes(file));
    log.elect(false, 2, "10.0.0.2:7000");
    assertThat(answer(changed).getErrno()).isEqualTo(Errno.EAGAIN.code());
    assertThat(answer(asked).getErrno()).isEqualTo(Errno.EAGAIN.code());
    assertThat(answer(asked).getLeadership().getLeader()).isEqualTo("10.0.0.2:7000");
  }

  @Test
  void whatIsAppliedAfterTheTermIsNotAnswered() {
    log.applyAtOnce(false);
    List<Reply> changed = command(chmod(file, 0600));
    log.elect(false, 2, "");
    log.applyAll();
    assertThat(answer(changed).getErrno()).isEqualTo(Errno.EAGAIN.code());
  }

  @Test
  void aNewLeaderAnswersNothingBeforeAllHaveForgottenEarlierTerms() {
    granted(a, attributes(file));
    a.answers = false;
    log.elect(true, 2, "here");
    List<Reply> asked = ask(b, attributes(directory));
    List<Reply> changed = command(chmod(directory, 0700));
    await(() -> !a.unanswered.isEmpty() && !b.recalls.isEmpty());
    assertThat(a.recalls).allMatch(recall -> recall.getAll() && recall.getTerm() == 2);
    assertThat(asked).isEmpty();
    assertThat(changed).isEmpty();
    a.answerNow();
    assertThat(done(asked).getGrant().getTerm()).isEqualTo(2);
    done(changed);
  }

  @Test
  void aNewLeaderWaitsForNobodyLongerThanALease() {
    a.answers = false;
    log.elect(true, 2, "here");
    List<Reply> asked = ask(b, attributes(directory));
    pass(1000);
    renew(a);
    pass(CACHE_LEASE_MILLIS - 1000);
    assertThat(asked).isEmpty();
    pass(CACHE_LEASE_MILLIS / 10);
    done(asked);
  }

  @Test
  void aNodeThatJoinsTheNewLeaderIsNotWaitedFor() throws IOException {
    a.answers = false;
    b.answers = false;
    log.elect(true, 2, "here");
    List<Reply> asked = ask(b, attributes(directory));
    join(a, "a");
    assertThat(asked).isEmpty();
    join(b, "b");
    done(asked);
  }

  @Test
  void twoNodesThatChangeOneDirectoryDoNotWaitForEachOther() {
    for (int i = 0; i < 20; i++) {
      pass(300);
      List<List<Reply>> made = new ArrayList<>();
      for (FakeNode node : List.of(a, b)) {
        granted(node, lookup(directory, "x" + i));
      }
      for (FakeNode node : List.of(a, b)) {
        made.add(
            send(
                Request.newBuilder()
                    .setSequence(++sequence)
                    .setNode(node.id)
                    .addForgotten(directory)
                    .setOperation(
                        Operation.newBuilder()
                            .setCreate(
                                Tree.creation(
                                    directory,
                                    "x" + i + "-" + node.id,
                                    FileType.FILE_TYPE_DIRECTORY)))));
      }
      made.forEach(CacheLeasesTest::done);
    }
  }
}
