package io.regionfs.metaserver.state;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static io.regionfs.metaserver.state.Tree.bytes;
import static io.regionfs.metaserver.state.Tree.errno;
import static io.regionfs.metaserver.state.Tree.inode;
import static org.assertj.core.api.Assertions.assertThat;

import io.regionfs.model.Errno;
import io.regionfs.proto.Export;
import io.regionfs.proto.ExportFile;
import io.regionfs.proto.Exporter;
import io.regionfs.proto.FileType;
import io.regionfs.proto.LookupQuery;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Files that live as long as a process of their home. */
class ExportsTest {
  private static final Exporter PROCESS = Exporter.newBuilder().setPid(40).setStart(7).build();

  private final Tree tree = new Tree();
  private int home;
  private int other;

  @BeforeEach
  void join() {
    home = tree.join("home", 1).getJoined().getNode();
    other = tree.join("other", 2).getJoined().getNode();
  }

  private long exported(String name) {
    return inode(
        tree.create(
            Tree.creation(ROOT, name, FileType.FILE_TYPE_FILE).setHome(home).setExporter(PROCESS)));
  }

  private Reply end(long inode) {
    return tree.run(Operation.newBuilder().setEndExport(inode));
  }

  private Reply export(long inode) {
    return tree.run(
        Operation.newBuilder()
            .setExportFile(ExportFile.newBuilder().setInode(inode).setExporter(PROCESS)));
  }

  private boolean has(long directory, String name) {
    LookupQuery lookup = LookupQuery.newBuilder().setParent(directory).setName(bytes(name)).build();
    return tree.namespace.query(Query.newBuilder().setLookup(lookup).build()).getErrno() == 0;
  }

  private List<Export> exports(Query.Builder query) {
    return tree.namespace.query(query.build()).getExports().getExportsList();
  }

  @Test
  void allNamesGoWithTheProcess() {
    long file = exported("a");
    long directory = inode(tree.directory(ROOT, "d"));
    tree.link(file, directory, "b");
    tree.rename(ROOT, "a", directory, "c", 0);
    Reply ended = end(file);
    assertThat(ended.getRemoval().getDeadInode()).isEqualTo(file);
    assertThat(has(directory, "b")).isFalse();
    assertThat(has(directory, "c")).isFalse();
    assertThat(tree.namespace.inodes().dead(home, 9)).containsExactly(file);
    assertThat(tree.rmdir(ROOT, "d").getErrno()).isZero();
  }

  @Test
  void aFileThatWasThereIsExportedWithTheNamesItHas() {
    long directory = inode(tree.directory(ROOT, "d"));
    long file = inode(tree.file(directory, "a"));
    tree.link(file, ROOT, "b");
    export(file);
    assertThat(exports(Query.newBuilder().setExportOf(file)))
        .singleElement()
        .satisfies(export -> assertThat(export.getExporter()).isEqualTo(PROCESS));
    end(file);
    assertThat(has(directory, "a")).isFalse();
    assertThat(has(ROOT, "b")).isFalse();
  }

  @Test
  void whoHasItOpenIsToldAndItIsOpenedNoMore() {
    long file = exported("a");
    tree.open(file, other, false);
    end(file);
    assertThat(tree.namespace.changes().told())
        .containsExactly(new Changes.Told(file, List.of(other)));
    assertThat(errno(tree.open(file, other, true))).isEqualTo(Errno.ESTALE);
    assertThat(exports(Query.newBuilder().setExportOf(file)).get(0).getEnded()).isTrue();
    assertThat(errno(export(file))).isEqualTo(Errno.ESTALE);
    tree.close(file, other);
    assertThat(tree.namespace.inodes().dead(home, 9)).containsExactly(file);
  }

  @Test
  void whatAHomeExportsEndsWithIt() {
    long one = exported("a");
    long two = exported("b");
    long stays = inode(tree.file(ROOT, "c"));
    tree.open(two, other, false);
    tree.expire(home);
    assertThat(has(ROOT, "a")).isFalse();
    assertThat(has(ROOT, "b")).isFalse();
    assertThat(has(ROOT, "c")).isTrue();
    assertThat(tree.namespace.inodes().find(one)).isNull();
    assertThat(tree.namespace.inodes().find(two)).isNotNull();
    assertThat(tree.namespace.inodes().find(stays)).isNotNull();
    assertThat(exports(Query.newBuilder().setExportsAt(home))).isEmpty();
  }

  @Test
  void anEndThatIsToldTwiceOrOfAnotherFileChangesNothing() {
    long file = exported("a");
    long plain = inode(tree.file(ROOT, "b"));
    end(plain);
    assertThat(has(ROOT, "b")).isTrue();
    tree.open(file, other, false);
    end(file);
    assertThat(end(file).getErrno()).isZero();
    assertThat(end(999).getErrno()).isZero();
  }

  @Test
  void aFileMayLiveUntilItIsUnlinkedAgain() {
    long file = exported("a");
    tree.run(Operation.newBuilder().setExportFile(ExportFile.newBuilder().setInode(file)));
    end(file);
    tree.expire(home);
    assertThat(has(ROOT, "a")).isTrue();
    assertThat(errno(export(ROOT))).isEqualTo(Errno.EINVAL);
    assertThat(errno(export(999))).isEqualTo(Errno.ENOENT);
  }

  @Test
  void anotherFileThatIsRenamedOverTheNameStays() {
    long file = exported("a");
    tree.open(file, other, false);
    tree.file(ROOT, "b");
    tree.rename(ROOT, "b", ROOT, "a", 0);
    end(file);
    assertThat(has(ROOT, "a")).isTrue();
  }

  @Test
  void aSnapshotKeepsThemAndTheirNames() throws Exception {
    long file = exported("a");
    long ended = exported("b");
    tree.open(ended, other, false);
    end(ended);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (SnapshotRun run = new SnapshotRun(new ReentrantReadWriteLock(), tree.namespace, 100)) {
      run.writeTo(out);
    }
    Namespace restored = SnapshotReader.read(new ByteArrayInputStream(out.toByteArray()));
    assertThat(restored.fingerprint()).isEqualTo(tree.namespace.fingerprint());
    Operation end = Operation.newBuilder().setEndExport(file).build();
    restored.apply(tree.history.get(0).toBuilder().setOperation(end).clearClientId().build());
    assertThat(restored.inodes().find(file)).isNull();
  }
}
