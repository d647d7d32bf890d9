package io.regionfs.metaserver.state;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static io.regionfs.metaserver.state.Tree.bytes;
import static io.regionfs.metaserver.state.Tree.inode;
import static io.regionfs.metaserver.state.Tree.values;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Messages;
import io.regionfs.proto.Close;
import io.regionfs.proto.FileType;
import io.regionfs.proto.SetAttributes;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a command tells of the inodes that it changed. */
class ChangesTest {
  private static final int A = 1;
  private static final int B = 2;

  private final Tree tree = new Tree();
  private long file;
  private long directory;

  @BeforeEach
  void twoNodesAFileAndADirectory() {
    tree.join("a", 11);
    tree.join("b", 22);
    file = inode(tree.file(ROOT, "f"));
    directory = inode(tree.directory(ROOT, "d"));
  }

  private Set<Long> changed() {
    Changes changes = tree.namespace.changes();
    Set<Long> inodes = new TreeSet<>();
    for (int i = 0; i < changes.count(); i++) {
      inodes.add(changes.inode(i));
    }
    return inodes;
  }

  @Test
  void namesChangeTheirDirectory() {
    long made = inode(tree.file(directory, "x"));
    assertThat(changed()).containsExactly(directory);
    tree.link(made, ROOT, "y");
    assertThat(changed()).containsExactlyInAnyOrder(ROOT, made);
    tree.unlink(ROOT, "y");
    assertThat(changed()).containsExactlyInAnyOrder(ROOT, made);
    tree.unlink(directory, "x");
    assertThat(changed()).containsExactlyInAnyOrder(directory, made);
    tree.rmdir(ROOT, "d");
    assertThat(changed()).containsExactlyInAnyOrder(ROOT, directory);
  }

  @Test
  void aRenameChangesAllItMoves() {
    long other = inode(tree.file(directory, "x"));
    tree.rename(ROOT, "f", directory, "y");
    assertThat(changed()).containsExactlyInAnyOrder(ROOT, directory, file);
    tree.rename(directory, "y", directory, "x");
    assertThat(changed()).containsExactlyInAnyOrder(directory, file, other);
    long second = inode(tree.file(ROOT, "z"));
    tree.rename(directory, "x", ROOT, "z", 2);
    assertThat(changed()).containsExactlyInAnyOrder(ROOT, directory, file, second);
    tree.rename(ROOT, "z", ROOT, "z");
    assertThat(changed()).isEmpty();
  }

  @Test
  void opensAndClosesChangeOnlyWhatTheyShow() {
    tree.open(file, A, false);
    assertThat(changed()).isEmpty();
    tree.open(file, A, true);
    assertThat(changed()).containsExactly(file);
    tree.open(file, B, true);
    assertThat(changed()).as("written already").isEmpty();
    tree.close(file, B);
    assertThat(changed()).isEmpty();
    long now = tree.now();
    tree.settle(values(file, 3, now));
    assertThat(changed()).as("still written").isEmpty();
    tree.close(file, A);
    tree.settle(values(file, 3, now));
    assertThat(changed()).containsExactly(file);
    Close.Builder read = Close.newBuilder().setInode(file).setNode(A);
    tree.close(read.clone().setAtime(Messages.time(tree.now() + 5)));
    assertThat(changed()).as("atime").containsExactly(file);
    tree.close(read.clone().setAtime(Messages.time(tree.now() + 6)));
    assertThat(changed()).as("read again").isEmpty();
  }

  @Test
  void attributesChangeTheirInode() {
    tree.set(SetAttributes.newBuilder().setInode(file).setMode(0600));
    assertThat(changed()).containsExactly(file);
    tree.setXattr(file, "user.a", bytes("v"), 0);
    assertThat(changed()).containsExactly(file);
    tree.setXattr(file, "user.a", ByteString.EMPTY, Xattrs.CREATE);
    assertThat(changed()).as("refused").isEmpty();
    tree.set(SetAttributes.newBuilder().setInode(99));
    assertThat(changed()).as("refused").isEmpty();
  }

  @Test
  void theEndOfANodeChangesWhatItRemoves() {
    tree.open(file, A, true);
    long nameless =
        inode(tree.create(Tree.creation(ROOT, "g", FileType.FILE_TYPE_FILE).setOpenBy(A)));
    tree.open(nameless, B, false);
    tree.unlink(ROOT, "g");
    tree.close(nameless, B);
    assertThat(changed()).isEmpty();
    tree.expire(A);
    assertThat(changed()).containsExactly(nameless);
  }
}
