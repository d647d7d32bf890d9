package io.regionfs.metaserver.state;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static io.regionfs.metaserver.state.Tree.errno;
import static io.regionfs.metaserver.state.Tree.inode;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Messages;
import io.regionfs.model.Errno;
import io.regionfs.proto.Attributes;
import io.regionfs.proto.DirectoryEntry;
import io.regionfs.proto.DirectoryPage;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Query;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SetAttributes;
import io.regionfs.rpc.RpcTransport;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The corner cases of names and attributes. */
class NamespaceTest {
  private static final int NOREPLACE = 1;
  private static final int EXCHANGE = 2;

  private final Tree tree = new Tree();

  private int links(long inode) {
    return tree.attributes(inode).getLinks();
  }

  private long found(long parent, String name) {
    return inode(tree.lookup(parent, name));
  }

  private List<String> names(long directory) {
    return tree.list(directory).stream().map(entry -> entry.getName().toStringUtf8()).toList();
  }

  @Test
  void theRootIsADirectoryOfItsOwn() {
    Attributes root = tree.attributes(ROOT);
    assertThat(root.getType()).isEqualTo(FileType.FILE_TYPE_DIRECTORY);
    assertThat(root.getLinks()).isEqualTo(2);
    assertThat(tree.page(ROOT, 0).getParent()).isEqualTo(ROOT);
    assertThat(tree.page(ROOT, 0).getLast()).isTrue();
  }

  @Test
  void badNamesAreRefused() {
    assertThat(errno(tree.file(ROOT, "x".repeat(256)))).isEqualTo(Errno.ENAMETOOLONG);
    assertThat(tree.file(ROOT, "x".repeat(255)).getErrno()).isZero();
    for (String name : List.of("", ".", "..", "a/b", "a\0b")) {
      assertThat(errno(tree.file(ROOT, name))).as("name %s", name).isEqualTo(Errno.EINVAL);
      assertThat(errno(tree.lookup(ROOT, name))).isEqualTo(Errno.EINVAL);
      assertThat(errno(tree.unlink(ROOT, name))).isEqualTo(Errno.EINVAL);
      assertThat(errno(tree.rename(ROOT, "x".repeat(255), ROOT, name))).isEqualTo(Errno.EINVAL);
    }
    assertThat(errno(tree.lookup(ROOT, "x".repeat(256)))).isEqualTo(Errno.ENAMETOOLONG);
    assertThat(tree.file(ROOT, "...").getErrno()).isZero();
  }

  @Test
  void creationNeedsADirectoryAndAFreeName() {
    long file = inode(tree.file(ROOT, "f"));
    assertThat(errno(tree.file(ROOT, "f"))).isEqualTo(Errno.EEXIST);
    assertThat(errno(tree.directory(ROOT, "f"))).isEqualTo(Errno.EEXIST);
    assertThat(errno(tree.file(file, "x"))).isEqualTo(Errno.ENOTDIR);
    assertThat(errno(tree.file(99, "x"))).isEqualTo(Errno.ENOENT);
    assertThat(errno(tree.lookup(file, "x"))).isEqualTo(Errno.ENOTDIR);
    assertThat(errno(tree.lookup(99, "x"))).isEqualTo(Errno.ENOENT);
  }

  @Test
  void aRemovedDirectoryThatIsStillOpenTakesNoNames() {
    tree.join("n", 1);
    long d = inode(tree.directory(ROOT, "d"));
    tree.open(d, 1, false);
    assertThat(tree.rmdir(ROOT, "d").getErrno()).isZero();
    assertThat(links(d)).isZero();
    assertThat(errno(tree.file(d, "x"))).isEqualTo(Errno.ENOENT);
    assertThat(tree.list(d)).isEmpty();
    tree.close(d, 1);
    assertThat(tree.exists(d)).isFalse();
  }

  @Test
  void directoriesCountTheirChildren() {
    long d = inode(tree.directory(ROOT, "d"));
    long e = inode(tree.directory(d, "e"));
    tree.file(d, "f");
    assertThat(links(ROOT)).isEqualTo(3);
    assertThat(links(d)).isEqualTo(3);
    assertThat(links(e)).isEqualTo(2);
    assertThat(tree.page(e, 0).getParent()).isEqualTo(d);
    assertThat(errno(tree.rmdir(ROOT, "d"))).isEqualTo(Errno.ENOTEMPTY);
    assertThat(errno(tree.rmdir(d, "f"))).isEqualTo(Errno.ENOTDIR);
    assertThat(errno(tree.unlink(d, "e"))).isEqualTo(Errno.EISDIR);
    assertThat(errno(tree.rmdir(d, "g"))).isEqualTo(Errno.ENOENT);
    assertThat(tree.rmdir(d, "e").getErrno()).isZero();
    assertThat(links(d)).isEqualTo(2);
    assertThat(tree.exists(e)).isFalse();
  }

  @Test
  void changesOfNamesShowInTheParentsTimes() {
    long d = inode(tree.directory(ROOT, "d"));
    tree.file(d, "f");
    assertModified(d);
    tree.link(found(d, "f"), d, "g");
    assertModified(d);
    assertThat(Messages.nanos(tree.attributes(found(d, "f")).getCtime())).isEqualTo(tree.now());
    tree.unlink(d, "f");
    assertModified(d);
    tree.rename(d, "g", ROOT, "g");
    assertModified(d);
    assertModified(ROOT);
    assertThat(Messages.nanos(tree.attributes(found(ROOT, "g")).getCtime())).isEqualTo(tree.now());
  }

  private void assertModified(long inode) {
    Attributes attributes = tree.attributes(inode);
    assertThat(Messages.nanos(attributes.getMtime())).isEqualTo(tree.now());
    assertThat(Messages.nanos(attributes.getCtime())).isEqualTo(tree.now());
  }

  @Test
  void aSetGroupIdDirectoryHandsItsGroupDown() {
    long d = inode(tree.directory(ROOT, "d"));
    tree.set(SetAttributes.newBuilder().setInode(d).setMode(02775).setGid(99));
    Attributes file = tree.file(d, "f").getAttributes();
    Attributes sub = tree.directory(d, "sub").getAttributes();
    assertThat(file.getGid()).isEqualTo(99);
    assertThat(file.getMode()).isEqualTo(0755);
    assertThat(sub.getGid()).isEqualTo(99);
    assertThat(sub.getMode()).isEqualTo(02755);
  }

  @Test
  void hardLinks() {
    long d = inode(tree.directory(ROOT, "d"));
    long f = inode(tree.file(ROOT, "f"));
    assertThat(tree.link(f, d, "g").getAttributes().getLinks()).isEqualTo(2);
    assertThat(errno(tree.link(f, d, "g"))).isEqualTo(Errno.EEXIST);
    assertThat(errno(tree.link(d, ROOT, "h"))).isEqualTo(Errno.EPERM);
    assertThat(errno(tree.link(99, ROOT, "h"))).isEqualTo(Errno.ENOENT);
    assertThat(errno(tree.link(f, f, "h"))).isEqualTo(Errno.ENOTDIR);
    long s = inode(tree.symlink(ROOT, "s"));
    assertThat(tree.link(s, ROOT, "s2").getAttributes().getLinks()).isEqualTo(2);
    assertThat(tree.unlink(ROOT, "f").getRemoval().getDeadInode()).isZero();
    assertThat(tree.unlink(d, "g").getRemoval().getDeadInode()).isEqualTo(f);
    assertThat(tree.exists(f)).isFalse();
  }

  @Test
  void anOpenFileWithoutNameGetsNoNewOne() {
    tree.join("n", 1);
    long f = inode(tree.file(ROOT, "f"));
    tree.open(f, 1, false);
    tree.unlink(ROOT, "f");
    assertThat(errno(tree.link(f, ROOT, "g"))).isEqualTo(Errno.ENOENT);
  }

  @Test
  void aFileHasOnlySoManyNames() {
    long f = inode(tree.file(ROOT, "f"));
    int count = 1;
    Reply reply = tree.link(f, ROOT, "l");
    while (reply.getErrno() == 0) {
      count++;
      reply = tree.link(f, ROOT, "l" + count);
    }
    assertThat(errno(reply)).isEqualTo(Errno.EMLINK);
    assertThat(links(f)).isEqualTo(count).isEqualTo(65_000);
  }

  @Test
  void symlinksNeedATarget() {
    assertThat(
            errno(
                tree.create(
                    Tree.creation(ROOT, "s", FileType.FILE_TYPE_SYMLINK)
                        .setTarget(ByteString.EMPTY))))
        .isEqualTo(Errno.ENOENT);
    assertThat(
            errno(
                tree.create(
                    Tree.creation(ROOT, "s", FileType.FILE_TYPE_SYMLINK)
                        .setTarget(Tree.bytes("t".repeat(4096))))))
        .isEqualTo(Errno.ENAMETOOLONG);
    long s = inode(tree.symlink(ROOT, "s"));
    assertThat(tree.namespace.query(Query.newBuilder().setLinkTargetOf(s).build()).getValue())
        .isEqualTo(Tree.bytes("target"));
  }

  @Test
  void renameMovesAndReplaces() {
    long d = inode(tree.directory(ROOT, "d"));
    long f = inode(tree.file(ROOT, "f"));
    long g = inode(tree.file(d, "g"));
    Reply reply = tree.rename(ROOT, "f", d, "g");
    assertThat(reply.getRemoval().getDeadInode()).isEqualTo(g);
    assertThat(reply.getRemoval().getHome()).isEqualTo(Tree.HOME);
    assertThat(found(d, "g")).isEqualTo(f);
    assertThat(names(ROOT)).containsExactly("d");
    assertThat(links(f)).isEqualTo(1);
    assertThat(errno(tree.rename(ROOT, "f", d, "x"))).isEqualTo(Errno.ENOENT);
    assertThat(errno(tree.rename(ROOT, "d", 99, "x"))).isEqualTo(Errno.ENOENT);
    assertThat(errno(tree.rename(ROOT, "d", f, "x"))).isEqualTo(Errno.ENOTDIR);
  }

  @Test
  void renameOfOneFileOntoItselfDoesNothing() {
    long f = inode(tree.file(ROOT, "f"));
    tree.link(f, ROOT, "g");
    assertThat(tree.rename(ROOT, "f", ROOT, "g").getErrno()).isZero();
    assertThat(tree.rename(ROOT, "f", ROOT, "f").getErrno()).isZero();
    assertThat(names(ROOT)).containsExactly("f", "g");
    assertThat(links(f)).isEqualTo(2);
  }

  @Test
  void renameOfDirectories() {
    long a = inode(tree.directory(ROOT, "a"));
    long b = inode(tree.directory(a, "b"));
    long c = inode(tree.directory(ROOT, "c"));
    tree.file(ROOT, "f");
    assertThat(errno(tree.rename(ROOT, "a", b, "x"))).isEqualTo(Errno.EINVAL);
    assertThat(errno(tree.rename(ROOT, "a", a, "x"))).isEqualTo(Errno.EINVAL);
    assertThat(errno(tree.rename(ROOT, "c", ROOT, "a"))).isEqualTo(Errno.ENOTEMPTY);
    assertThat(errno(tree.rename(ROOT, "c", ROOT, "f"))).isEqualTo(Errno.ENOTDIR);
    assertThat(errno(tree.rename(ROOT, "f", ROOT, "c"))).isEqualTo(Errno.EISDIR);
    assertThat(tree.rename(a, "b", ROOT, "c").getErrno()).isZero();
    assertThat(tree.exists(c)).isFalse();
    assertThat(found(ROOT, "c")).isEqualTo(b);
    assertThat(links(ROOT)).isEqualTo(4);
    assertThat(links(a)).isEqualTo(2);
    assertThat(tree.page(b, 0).getParent()).isEqualTo(ROOT);
    assertThat(tree.rename(ROOT, "c", a, "b").getErrno()).isZero();
    assertThat(links(ROOT)).isEqualTo(3);
    assertThat(links(a)).isEqualTo(3);
    assertThat(tree.page(b, 0).getParent()).isEqualTo(a);
  }

  @Test
  void renameFlags() {
    long a = inode(tree.directory(ROOT, "a"));
    long b = inode(tree.directory(a, "b"));
    long f = inode(tree.file(ROOT, "f"));
    assertThat(errno(tree.rename(ROOT, "f", ROOT, "g", 3))).isEqualTo(Errno.EINVAL);
    assertThat(errno(tree.rename(ROOT, "f", ROOT, "g", 4))).isEqualTo(Errno.EINVAL);
    assertThat(errno(tree.rename(ROOT, "f", ROOT, "a", NOREPLACE))).isEqualTo(Errno.EEXIST);
    assertThat(errno(tree.rename(ROOT, "f", ROOT, "x", EXCHANGE))).isEqualTo(Errno.ENOENT);
    assertThat(errno(tree.rename(a, "b", ROOT, "a", EXCHANGE))).isEqualTo(Errno.EINVAL);
    assertThat(errno(tree.rename(ROOT, "a", a, "b", EXCHANGE))).isEqualTo(Errno.EINVAL);
    assertThat(tree.rename(ROOT, "f", a, "b", EXCHANGE).getErrno()).isZero();
    assertThat(found(a, "b")).isEqualTo(f);
    assertThat(found(ROOT, "f")).isEqualTo(b);
    assertThat(links(a)).isEqualTo(2);
    assertThat(links(ROOT)).isEqualTo(4);
    assertThat(tree.page(b, 0).getParent()).isEqualTo(ROOT);
    assertThat(tree.rename(a, "b", a, "c", NOREPLACE).getErrno()).isZero();
    assertThat(names(a)).containsExactly("c");
  }

  @Test
  void attributesKeepNanosecondsAndFarTimes() {
    long f = inode(tree.file(ROOT, "f"));
    long odd = -1_234_567_891L;
    Reply reply =
        tree.set(SetAttributes.newBuilder().setInode(f).setMtime(Messages.time(odd)).setMode(-1));
    assertThat(Messages.nanos(reply.getAttributes().getMtime())).isEqualTo(odd);
    assertThat(reply.getAttributes().getMode()).isEqualTo(07777);
    assertThat(Messages.nanos(reply.getAttributes().getCtime())).isEqualTo(tree.now());
    SetAttributes.Builder far = SetAttributes.newBuilder().setInode(f);
    far.getAtimeBuilder().setSeconds(Long.MAX_VALUE);
    assertThat(tree.set(far).getAttributes().getAtime().getSeconds()).isGreaterThan(9_000_000_000L);
  }

  @Test
  void extendedAttributesAreBounded() {
    long f = inode(tree.file(ROOT, "f"));
    ByteString large = ByteString.copyFrom(new byte[Xattrs.MAX_TOTAL_BYTES - 1]);
    assertThat(tree.setXattr(f, "a", large, 0).getErrno()).isZero();
    assertThat(errno(tree.setXattr(f, "b", ByteString.EMPTY, 0))).isEqualTo(Errno.ENOSPC);
    assertThat(tree.setXattr(f, "a", Tree.bytes("v"), Xattrs.REPLACE).getErrno()).isZero();
    assertThat(tree.setXattr(f, "b", ByteString.EMPTY, Xattrs.CREATE).getErrno()).isZero();
    assertThat(errno(tree.setXattr(f, "b", ByteString.EMPTY, 1))).isEqualTo(Errno.EEXIST);
    assertThat(errno(tree.setXattr(f, "c", ByteString.EMPTY, 2))).isEqualTo(Errno.ENODATA);
    assertThat(errno(tree.setXattr(f, "c", ByteString.EMPTY, 4))).isEqualTo(Errno.EINVAL);
    assertThat(errno(tree.setXattr(f, "n".repeat(256), large, 0))).isEqualTo(Errno.ERANGE);
    assertThat(errno(tree.setXattr(f, "d", large.concat(large), 0))).isEqualTo(Errno.E2BIG);
    int count = 2;
    while (tree.setXattr(f, "x" + count, ByteString.EMPTY, 0).getErrno() == 0) {
      count++;
    }
    Reply names = tree.namespace.query(Query.newBuilder().setXattrNamesOf(f).build());
    assertThat(names.getNames().getNamesCount()).isEqualTo(count);
    assertThat(names.getSerializedSize()).isLessThan(RpcTransport.MAX_MESSAGE_BYTES);
  }

  @Test
  void aHugeDirectoryIsListedWhileItChanges() {
    long d = inode(tree.directory(ROOT, "d"));
    int count = 200_000;
    for (int i = 0; i < count; i++) {
      tree.file(d, "stays-or-goes-" + i);
    }
    tree.history.clear();
    Set<String> seen = new HashSet<>();
    long cookie = 0;
    DirectoryPage page;
    int pages = 0;
    do {
      page = tree.page(d, cookie);
      assertThat(page.getSerializedSize()).isLessThan(RpcTransport.MAX_MESSAGE_BYTES);
      for (DirectoryEntry entry : page.getEntriesList()) {
        assertThat(entry.getCookie()).isGreaterThan(cookie);
        cookie = entry.getCookie();
        assertThat(seen.add(entry.getName().toStringUtf8())).as("listed once").isTrue();
      }
      change(d, pages++, count);
    } while (!page.getLast());
    for (int i = 0; i < count; i += 2) {
      assertThat(seen.contains("stays-or-goes-" + i)).as("entry %d was listed", i).isTrue();
    }
    for (int i = 1; i < count; i += 2) {
      tree.unlink(d, "stays-or-goes-" + i);
    }
    assertThat(tree.list(d)).hasSizeGreaterThanOrEqualTo(count / 2);
  }

  /** Removes odd entries before and behind the reader, replaces even ones, adds others. */
  private void change(long directory, int page, int count) {
    for (int i = 0; i < 20; i++) {
      int odd = ((page * 20 + i) * 7919 % (count / 2)) * 2 + 1;
      tree.unlink(directory, "stays-or-goes-" + odd);
    }
    tree.file(directory, "new-" + page);
    tree.rename(directory, "new-" + page, directory, "stays-or-goes-" + page * 2);
    tree.file(directory, "added-" + page);
  }
}
