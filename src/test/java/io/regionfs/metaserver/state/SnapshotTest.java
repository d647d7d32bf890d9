package io.regionfs.metaserver.state;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.regionfs.meta.Messages;
import io.regionfs.proto.Command;
import io.regionfs.proto.Dropped;
import io.regionfs.proto.FileType;
import io.regionfs.proto.LockKind;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Remove;
import io.regionfs.proto.SnapshotHeader;
import io.regionfs.proto.SnapshotRecord;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Beginning, ending and refusing snapshots. */
class SnapshotTest {
  private static final int FILES = 3_000;

  private final Replica replica = new Replica();
  private long inodes = ROOT;

  private static Operation create(String name) {
    return Operation.newBuilder()
        .setCreate(Tree.creation(ROOT, name, FileType.FILE_TYPE_FILE))
        .build();
  }

  private void apply(Operation operation) {
    replica.apply(
        Command.newBuilder()
            .setStamp(Messages.time(++inodes * 1000))
            .setOperation(operation)
            .build());
  }

  private void fill() {
    for (int i = 0; i < FILES; i++) {
      apply(create("f" + i));
    }
  }

  private long fingerprint() {
    return replica.read(Namespace::fingerprint);
  }

  @Test
  void onlyOneIsWrittenAtATime() {
    Replica.Snapshot first = replica.snapshot();
    assertThatThrownBy(replica::snapshot).isInstanceOf(IllegalStateException.class);
    first.close();
    first.close();
    replica.snapshot().close();
  }

  @Test
  void aSnapshotThatWasGivenUpIsNotWritten() {
    Replica.Snapshot given = replica.snapshot();
    given.close();
    assertThatThrownBy(() -> given.writeTo(OutputStream.nullOutputStream()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("given up");
  }

  /** The whole directory is emptied and filled again behind the writer's back. */
  @Test
  void whatIsRemovedMeanwhileIsInTheSnapshot() throws IOException {
    fill();
    long before = fingerprint();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Replica.Snapshot snapshot = replica.snapshot()) {
      for (int i = 0; i < FILES; i++) {
        Remove remove = Remove.newBuilder().setParent(ROOT).setName(Tree.bytes("f" + i)).build();
        apply(Operation.newBuilder().setRemove(remove).build());
        apply(create("f" + i));
      }
      snapshot.writeTo(bytes);
    }
    long after = fingerprint();
    replica.restore(new ByteArrayInputStream(bytes.toByteArray()));
    assertThat(fingerprint()).isEqualTo(before).isNotEqualTo(after);
    assertThat(replica.<Integer>read(namespace -> namespace.inodes().count())).isEqualTo(FILES + 1);
  }

  @Test
  void deadInodesAreAsTheyWereToo() throws IOException {
    fill();
    remove(0, 2_000);
    long before = fingerprint();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Replica.Snapshot snapshot = replica.snapshot()) {
      remove(2_000, FILES);
      Dropped.Builder dropped = Dropped.newBuilder().setNode(Tree.HOME);
      for (long inode = 1; inode < FILES; inode += 3) {
        dropped.addInodes(inode);
      }
      apply(Operation.newBuilder().setDropped(dropped).build());
      snapshot.writeTo(bytes);
    }
    replica.restore(new ByteArrayInputStream(bytes.toByteArray()));
    assertThat(fingerprint()).isEqualTo(before);
    List<Long> dead = replica.read(namespace -> namespace.inodes().dead(Tree.HOME, FILES));
    assertThat(dead).hasSize(2_000);
  }

  /** Who waits is granted in the restored state too, and deadlocks are found there. */
  @Test
  void locksAreAsTheyWere() throws IOException {
    Tree tree = new Tree();
    LockTable locks = new LockTable(tree);
    long file = locks.file("f");
    locks.lock(file, 1, 1, LockKind.LOCK_KIND_EXCLUSIVE, 0, 9, 0);
    locks.lock(file, 2, 1, LockKind.LOCK_KIND_SHARED, 5, 20, 7);
    tree.history.forEach(replica::apply);
    long before = fingerprint();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int done = tree.history.size();
    try (Replica.Snapshot snapshot = replica.snapshot()) {
      locks.lock(file, 1, 1, LockKind.LOCK_KIND_UNLOCK, 0, 9, 0);
      tree.history.subList(done, tree.history.size()).forEach(replica::apply);
      snapshot.writeTo(bytes);
    }
    long after = fingerprint();
    replica.restore(new ByteArrayInputStream(bytes.toByteArray()));
    assertThat(fingerprint()).isEqualTo(before).isNotEqualTo(after);
    assertThat(replica.<Integer>read(namespace -> namespace.locks().total())).isEqualTo(2);
    tree.history.subList(done, tree.history.size()).forEach(replica::apply);
    assertThat(fingerprint()).isEqualTo(after);
  }

  private void remove(int from, int to) {
    for (int i = from; i < to; i++) {
      Remove remove = Remove.newBuilder().setParent(ROOT).setName(Tree.bytes("f" + i)).build();
      apply(Operation.newBuilder().setRemove(remove).build());
    }
  }

  @Test
  void beginningAnewForgetsEverything() {
    long empty = fingerprint();
    fill();
    assertThat(fingerprint()).isNotEqualTo(empty);
    replica.reset();
    assertThat(fingerprint()).isEqualTo(empty);
  }

  /** An engine that installs a snapshot, or begins anew, may be writing another one. */
  @Test
  void restoringDoesNotDisturbASnapshotUnderWay() throws IOException {
    fill();
    long before = fingerprint();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Replica.Snapshot snapshot = replica.snapshot()) {
      replica.reset();
      apply(create("other"));
      snapshot.writeTo(bytes);
    }
    replica.restore(new ByteArrayInputStream(bytes.toByteArray()));
    assertThat(fingerprint()).isEqualTo(before);
  }

  @Test
  void anUnknownVersionIsNamed() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    SnapshotRecord.newBuilder()
        .setHeader(SnapshotHeader.newBuilder().setVersion(9))
        .build()
        .writeDelimitedTo(bytes);
    assertThatThrownBy(() -> replica.restore(new ByteArrayInputStream(bytes.toByteArray())))
        .isInstanceOf(IOException.class)
        .hasMessage("the snapshot has format version 9, this program reads version 1");
  }

  @Test
  void anEmptyFileIsCutOff() {
    assertThatThrownBy(() -> replica.restore(new ByteArrayInputStream(new byte[0])))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cut off after 0 records");
  }
}
