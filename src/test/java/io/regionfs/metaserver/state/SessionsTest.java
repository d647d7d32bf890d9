package io.regionfs.metaserver.state;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static io.regionfs.metaserver.state.Tree.errno;
import static io.regionfs.metaserver.state.Tree.inode;
import static io.regionfs.metaserver.state.Tree.values;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.meta.Messages;
import io.regionfs.model.Errno;
import io.regionfs.proto.AddNode;
import io.regionfs.proto.Attributes;
import io.regionfs.proto.Close;
import io.regionfs.proto.Command;
import io.regionfs.proto.Dropped;
import io.regionfs.proto.FileType;
import io.regionfs.proto.JoinReply;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Reply;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Opens, write sessions, dead inodes and the nodes they belong to. */
class SessionsTest {
  private static final int A = 1;
  private static final int B = 2;

  private static final long DAY_NANOS = 86_400_000_000_000L;

  private final Tree tree = new Tree();
  private long file;
  private long days;

  @BeforeEach
  void twoNodesAndAFile() {
    assertThat(tree.join("a", 11).getJoined().getNode()).isEqualTo(A);
    assertThat(tree.join("b", 22).getJoined().getNode()).isEqualTo(B);
    file = inode(tree.file(ROOT, "f"));
  }

  private boolean atHome() {
    return tree.attributes(file).getAtHome();
  }

  private long size() {
    return tree.attributes(file).getSize();
  }

  @Test
  void openingTellsWhatWasBefore() {
    assertThat(tree.open(file, A, true).getAttributes().getAtHome()).isFalse();
    assertThat(tree.open(file, B, true).getAttributes().getAtHome()).isTrue();
    assertThat(tree.open(file, B, false).getAttributes().getAtHome()).isTrue();
    assertThat(errno(tree.open(99, A, false))).isEqualTo(Errno.ENOENT);
    assertThat(errno(tree.open(file, 3, false))).isEqualTo(Errno.ESTALE);
    assertThat(errno(tree.open(ROOT, A, true))).isEqualTo(Errno.EISDIR);
  }

  @Test
  void creationCanOpen() {
    Reply reply =
        tree.create(
            Tree.creation(ROOT, "g", FileType.FILE_TYPE_FILE).setOpenBy(A).setOpenForWrite(true));
    assertThat(reply.getAttributes().getAtHome()).isFalse();
    long made = inode(reply);
    assertThat(tree.attributes(made).getAtHome()).isTrue();
    tree.unlink(ROOT, "g");
    assertThat(tree.exists(made)).isTrue();
    assertThat(tree.close(made, A).getRemoval().getDeadInode()).isEqualTo(made);
    assertThat(errno(tree.create(Tree.creation(ROOT, "h", FileType.FILE_TYPE_FILE).setOpenBy(9))))
        .isEqualTo(Errno.ESTALE);
    assertThat(errno(tree.lookup(ROOT, "h"))).isEqualTo(Errno.ENOENT);
  }

  @Test
  void theOnlyWritersValuesAreFinal() {
    tree.open(file, A, true);
    tree.open(file, B, false);
    tree.closeWrite(file, A, values(file, 10, 5_000));
    assertThat(atHome()).isFalse();
    assertThat(size()).isEqualTo(10);
    Attributes settled = tree.attributes(file);
    assertThat(Messages.nanos(settled.getMtime())).isEqualTo(5_000);
    assertThat(settled.getCtime()).isEqualTo(settled.getBtime());
    tree.open(file, B, true);
    assertThat(atHome()).isTrue();
    tree.closeWrite(file, B, values(file, 7, 6_000));
    assertThat(size()).isEqualTo(7);
    assertThat(atHome()).isFalse();
  }

  @Test
  void ofSeveralWritersNobodyKnowsTheLastValues() {
    tree.open(file, A, true);
    tree.open(file, B, true);
    long later = tree.now() + 10;
    tree.closeWrite(file, B, values(file, 20, later));
    assertThat(atHome()).isTrue();
    tree.settle(values(file, 15, later));
    assertThat(size()).as("not while someone writes").isEqualTo(20);
    tree.closeWrite(file, A, values(file, 10, later - 5));
    assertThat(size()).as("A asked the home before B wrote").isEqualTo(20);
    assertThat(atHome()).isTrue();
    tree.settle(values(file, 20, later));
    assertThat(atHome()).isFalse();
    tree.settle(values(file, 10, later - 5));
    assertThat(size()).as("settled once").isEqualTo(20);
  }

  private Reply closeAll(int node, long size, long time) {
    return tree.close(
        Close.newBuilder().setInode(file).setNode(node).setSettled(values(file, size, time)));
  }

  @Test
  void oneCloseEndsTheSessionAndTheOpen() {
    tree.open(file, A, true);
    assertThat(closeAll(A, 10, 5_000)).isEqualTo(Replies.NOTHING_REMOVED);
    assertThat(size()).isEqualTo(10);
    assertThat(atHome()).isFalse();
    closeAll(A, 20, 6_000);
    assertThat(size()).as("not open").isEqualTo(10);
    tree.open(file, A, true);
    tree.unlink(ROOT, "f");
    assertThat(closeAll(A, 30, 7_000).getRemoval().getDeadInode()).isEqualTo(file);
  }

  @Test
  void oneCloseOfSeveralWritersTellsThatTheHomeKnowsBest() {
    tree.open(file, A, true);
    tree.open(file, B, true);
    long later = tree.now() + 10;
    assertThat(closeAll(B, 20, later).getRemoval().getAtHome()).isTrue();
    assertThat(closeAll(A, 10, later - 5).getRemoval().getAtHome()).isTrue();
    assertThat(size()).isEqualTo(20);
    tree.open(file, A, true);
    assertThat(closeAll(A, 30, later)).as("alone").isEqualTo(Replies.NOTHING_REMOVED);
    assertThat(size()).isEqualTo(30);
    tree.open(file, A, true);
    assertThat(tree.close(file, A).getRemoval().getAtHome()).as("without values").isTrue();
  }

  @Test
  void closingTwiceOrNeverOpenedIsFine() {
    tree.open(file, A, true);
    tree.close(file, A);
    assertThat(tree.close(file, A).getRemoval().getDeadInode()).isZero();
    assertThat(tree.close(file, B).getRemoval().getDeadInode()).isZero();
    assertThat(tree.close(99, B)).isEqualTo(Replies.NOTHING_REMOVED);
    assertThat(tree.closeWrite(file, B, values(file, 3, 3)).getErrno()).isZero();
    assertThat(size()).isZero();
    assertThat(atHome()).as("A ended without values").isTrue();
  }

  @Test
  void readsShowInTheAccessTimeOncePerChange() {
    tree.open(file, A, false);
    long first = tree.now() + 10;
    tree.close(readAt(first));
    assertThat(Messages.nanos(tree.attributes(file).getAtime())).isEqualTo(first);
    tree.close(readAt(first + 10));
    assertThat(Messages.nanos(tree.attributes(file).getAtime())).isEqualTo(first);
    long nextDay = first + 86_400_000_000_000L;
    tree.close(readAt(nextDay));
    assertThat(Messages.nanos(tree.attributes(file).getAtime())).isEqualTo(nextDay);
  }

  private Close.Builder readAt(long time) {
    return Close.newBuilder().setInode(file).setNode(A).setAtime(Messages.time(time));
  }

  @Test
  void aFileDiesWithItsLastNameAndItsLastOpen() {
    tree.open(file, A, false);
    tree.open(file, B, false);
    assertThat(tree.unlink(ROOT, "f")).isEqualTo(Replies.NOTHING_REMOVED);
    assertThat(tree.close(file, A)).isEqualTo(Replies.NOTHING_REMOVED);
    Reply last = tree.close(file, B);
    assertThat(last.getRemoval().getDeadInode()).isEqualTo(file);
    assertThat(last.getRemoval().getHome()).isEqualTo(Tree.HOME);
    assertThat(tree.exists(file)).isFalse();
    assertThat(tree.namespace.inodes().dead(Tree.HOME, 10)).containsExactly(file);
    Dropped.Builder dropped = Dropped.newBuilder().setNode(Tree.HOME).addInodes(file);
    tree.run(Operation.newBuilder().setDropped(dropped));
    assertThat(tree.namespace.inodes().dead(Tree.HOME, 10)).isEmpty();
  }

  @Test
  void symlinksAndDirectoriesLeaveNothingToDrop() {
    inode(tree.symlink(ROOT, "s"));
    assertThat(tree.unlink(ROOT, "s")).isEqualTo(Replies.NOTHING_REMOVED);
    inode(tree.directory(ROOT, "d"));
    assertThat(tree.rmdir(ROOT, "d")).isEqualTo(Replies.NOTHING_REMOVED);
  }

  @Test
  void theOpensOfASilentNodeEnd() {
    tree.open(file, A, true);
    long gone = inode(tree.file(ROOT, "g"));
    tree.open(gone, A, false);
    tree.unlink(ROOT, "g");
    tree.expire(A);
    assertThat(tree.exists(gone)).isFalse();
    assertThat(tree.namespace.inodes().dead(Tree.HOME, 10)).containsExactly(gone);
    assertThat(atHome()).as("until someone asked the home").isTrue();
    assertThat(errno(tree.open(file, A, false))).isEqualTo(Errno.ESTALE);
    tree.settle(values(file, 77, 5));
    assertThat(atHome()).isFalse();
    assertThat(size()).isEqualTo(77);
  }

  @Test
  void aNodeIsKnownByItsKey() {
    tree.open(file, A, true);
    assertThat(errno(tree.join("a", 33))).isEqualTo(Errno.EEXIST);
    assertThat(tree.join("a", 11).getJoined().getNode()).as("a restart").isEqualTo(A);
    tree.unlink(ROOT, "f");
    assertThat(tree.exists(file)).as("a restart has nothing open").isFalse();
    tree.expire(A);
    assertThat(tree.join("a", 33).getJoined().getNode()).as("the name was free").isEqualTo(3);
    assertThat(errno(tree.join("a", 11))).isEqualTo(Errno.EEXIST);
    assertThat(tree.join("other", 11).getJoined().getNode()).isEqualTo(A);
    assertThat(errno(tree.join("", 44))).isEqualTo(Errno.EINVAL);
    assertThat(errno(tree.join("x", 0))).isEqualTo(Errno.EINVAL);
  }

  @Test
  void theListOfNodesHasAVersion() {
    long version = tree.namespace.nodes().version();
    tree.expire(A);
    assertThat(tree.namespace.nodes().version()).isGreaterThan(version);
    version = tree.namespace.nodes().version();
    tree.expire(A);
    assertThat(tree.namespace.nodes().version()).isEqualTo(version);
    tree.join("a", 11);
    assertThat(tree.namespace.nodes().version()).isGreaterThan(version);
  }

  private void passTwoDays() {
    days += 2;
    Command.Builder later = Command.newBuilder();
    later.setStamp(Messages.time(tree.now() + days * DAY_NANOS));
    later.setOperation(Operation.newBuilder().setDropped(Dropped.newBuilder().setNode(9)));
    tree.run(later.build());
  }

  private List<Integer> members() {
    return tree.namespace.nodes().all().stream().map(Nodes.Member::id).toList();
  }

  @Test
  void aNodeThatLeftLongAgoIsForgottenIfItIsTheHomeOfNothing() {
    tree.expire(A); // the home of the file
    tree.expire(B);
    tree.join("c", 33);
    assertThat(members()).as("not long ago").containsExactly(A, B, 3);
    passTwoDays();
    tree.join("d", 44);
    assertThat(members()).containsExactly(A, 3, 4);
    tree.unlink(ROOT, "f");
    tree.join("e", 55);
    assertThat(members()).as("its bytes are still to be dropped").contains(A);
    tree.run(Operation.newBuilder().setDropped(Dropped.newBuilder().setNode(A).addInodes(file)));
    tree.join("g", 66);
    assertThat(members()).containsExactly(3, 4, 5, 6);
  }

  @Test
  void aForgottenNodeComesBack() {
    tree.expire(B);
    passTwoDays();
    tree.join("c", 33);
    assertThat(members()).containsExactly(A, 3);
    assertThat(errno(tree.create(Tree.creation(ROOT, "x", FileType.FILE_TYPE_FILE).setHome(B))))
        .as("nobody's home")
        .isEqualTo(Errno.ESTALE);
    AddNode.Builder back =
        AddNode.newBuilder()
            .setName("b")
            .setKey(22)
            .setRpcAddress("10.0.0.1:1")
            .setDataAddress("10.0.0.1:2");
    assertThat(tree.run(Operation.newBuilder().setAddNode(back.clone().setNode(B))).getJoined())
        .as("as it still runs")
        .extracting(JoinReply::getNode)
        .isEqualTo(B);
    tree.expire(B);
    passTwoDays();
    tree.join("d", 44);
    assertThat(tree.run(Operation.newBuilder().setAddNode(back)).getJoined().getNode())
        .as("after a restart")
        .isEqualTo(5);
    assertThat(
            tree.run(Operation.newBuilder().setAddNode(back.setName("z").setKey(99).setNode(A)))
                .getJoined()
                .getNode())
        .as("a number that another has")
        .isEqualTo(6);
  }
}
