package io.regionfs.metaserver.state;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.meta.Messages;
import io.regionfs.model.Errno;
import io.regionfs.proto.Command;
import io.regionfs.proto.EndSessions;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Found;
import io.regionfs.proto.OpenSession;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Commands that come twice count once. */
class AnswersTest {
  private static final long DAY_SECONDS = 86_400;

  private final Tree tree = new Tree();

  @BeforeEach
  void openSessions() {
    tree.run(Tree.openSession(5));
    tree.run(Tree.openSession(6));
  }

  private static Command.Builder creation(long client, long sequence, long acknowledged) {
    return Command.newBuilder()
        .setClientId(client)
        .setSequence(sequence)
        .setAcknowledged(acknowledged)
        .setNewInode(100 + sequence)
        .setOperation(
            Operation.newBuilder()
                .setCreate(Tree.creation(ROOT, "f" + sequence, FileType.FILE_TYPE_FILE)));
  }

  private Reply run(Command.Builder command) {
    return tree.run(command.build());
  }

  @Test
  void aRepeatedCommandGetsItsFirstAnswer() {
    Reply first = run(creation(5, 1, 0));
    long before = tree.namespace.fingerprint();
    assertThat(run(creation(5, 1, 0).setNewInode(999))).isEqualTo(first);
    assertThat(tree.namespace.fingerprint()).isEqualTo(before);
    assertThat(run(creation(6, 1, 0)).getErrno()).as("another client").isNotZero();
  }

  @Test
  void aCommandWithoutASessionIsNotCarriedOut() {
    Reply refused = run(creation(7, 1, 0));
    assertThat(refused.getErrno()).isEqualTo(Errno.ESTALE.code());
    assertThat(refused.getNoSession()).isTrue();
    assertThat(tree.lookup(ROOT, "f1").getErrno()).isNotZero();
    tree.run(Tree.openSession(7));
    assertThat(run(creation(7, 1, 0)).getErrno()).isZero();
  }

  @Test
  void refusalsAreAnswersToo() {
    run(creation(5, 1, 0));
    Reply refused = run(creation(5, 2, 0).setOperation(creation(5, 1, 0).getOperation()));
    assertThat(refused.getErrno()).isNotZero();
    tree.unlink(ROOT, "f1");
    assertThat(run(creation(5, 2, 0).setOperation(creation(5, 1, 0).getOperation())))
        .isEqualTo(refused);
    assertThat(tree.lookup(ROOT, "f1").getErrno()).isNotZero();
  }

  @Test
  void commandsOfOneClientMayComeInAnyOrder() {
    Reply third = run(creation(5, 3, 0));
    Reply first = run(creation(5, 1, 0));
    assertThat(run(creation(5, 3, 1))).isEqualTo(third);
    assertThat(run(creation(5, 2, 1)).getErrno()).isZero();
    assertThat(first.getErrno()).isZero();
  }

  @Test
  void anAcknowledgedCommandThatComesLateIsNotApplied() {
    run(creation(5, 1, 0));
    run(creation(5, 4, 2));
    tree.unlink(ROOT, "f1");
    assertThat(run(creation(5, 1, 0)).getErrno()).isNotZero();
    assertThat(run(creation(5, 2, 0)).getErrno()).as("given up before it came").isNotZero();
    assertThat(tree.lookup(ROOT, "f1").getErrno()).isNotZero();
    assertThat(tree.lookup(ROOT, "f2").getErrno()).isNotZero();
  }

  @Test
  void aSessionEndsOnlyByCommand() {
    run(creation(5, 1, 0));
    tree.unlink(ROOT, "f1");
    run(creation(6, 2, 0).setStamp(Messages.time(DAY_SECONDS * 2 * 1_000_000_000L)));
    assertThat(tree.namespace.clients()).containsExactly(5L, 6L);
    assertThat(tree.namespace.lastHeard(5)).isPositive().isLessThan(tree.namespace.lastHeard(6));
    assertThat(tree.namespace.answered(5, 1)).isNotNull();
    tree.run(Operation.newBuilder().setEndSessions(EndSessions.newBuilder().addClients(5)));
    assertThat(tree.namespace.clients()).containsExactly(6L);
    assertThat(tree.namespace.answered(5, 1)).isNull();
    assertThat(tree.namespace.lastHeard(5)).isZero();
  }

  @Test
  void askingForAnAnswerChangesNothing() {
    Reply first = run(creation(5, 1, 0));
    long before = tree.namespace.fingerprint();
    assertThat(tree.namespace.answered(5, 1)).isEqualTo(first);
    assertThat(tree.namespace.answered(5, 2)).isNull();
    assertThat(tree.namespace.answered(7, 1)).isNull();
    assertThat(tree.namespace.fingerprint()).isEqualTo(before);
  }

  private Reply open(long client, String cluster) {
    OpenSession session = OpenSession.newBuilder().setClusterId(cluster).build();
    return run(creation(client, 1, 0).setOperation(Operation.newBuilder().setOpenSession(session)));
  }

  @Test
  void aSessionIsOfOneCluster() {
    tree.run(Operation.newBuilder().setFound(Found.newBuilder().setClusterId("here")));
    assertThat(open(5, "").getValue().toStringUtf8()).isEqualTo("here");
    assertThat(open(6, "here").getErrno()).isZero();
    assertThat(open(6, "here")).as("again").isEqualTo(open(6, "here"));
    assertThat(Tree.errno(open(7, "there"))).isEqualTo(Errno.EXDEV);
    assertThat(tree.namespace.clients()).containsExactly(5L, 6L);
  }
}
