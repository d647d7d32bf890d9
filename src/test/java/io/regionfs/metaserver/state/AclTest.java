package io.regionfs.metaserver.state;

import static io.regionfs.metaserver.state.Tree.ROOT;
import static io.regionfs.metaserver.state.Tree.errno;
import static io.regionfs.metaserver.state.Tree.inode;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.regionfs.meta.Metadata;
import io.regionfs.model.Errno;
import io.regionfs.proto.Create;
import io.regionfs.proto.FileType;
import io.regionfs.proto.Operation;
import io.regionfs.proto.Query;
import io.regionfs.proto.RemoveXattr;
import io.regionfs.proto.Reply;
import io.regionfs.proto.SetAttributes;
import io.regionfs.proto.SetXattr;
import io.regionfs.proto.XattrQuery;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AclTest {
  private static final Map<String, Integer> TAGS =
      Map.of("u", 1, "u:", 2, "g", 4, "g:", 8, "m", 16, "o", 32);

  private final Tree tree = new Tree();

  /** Entries as in {@code u::6 u:1000:4 g::4 g:100:7 m::5 o::0}. */
  static ByteString list(String entries) {
    String[] words = entries.isEmpty() ? new String[0] : entries.split(" ", -1);
    ByteBuffer bytes = ByteBuffer.allocate(4 + 8 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(2);
    for (String word : words) {
      List<String> parts = List.of(word.split(":", -1));
      boolean named = !parts.get(1).isEmpty();
      int tag = TAGS.getOrDefault(parts.get(0) + (named ? ":" : ""), 64);
      bytes.putShort((short) tag).putShort(Short.parseShort(parts.get(2)));
      bytes.putInt(named ? Integer.parseInt(parts.get(1)) : -1);
    }
    return ByteString.copyFrom(bytes.flip());
  }

  private Reply set(long inode, ByteString name, String entries, int flags) {
    return tree.run(
        Operation.newBuilder()
            .setSetXattr(
                SetXattr.newBuilder()
                    .setInode(inode)
                    .setName(name)
                    .setValue(list(entries))
                    .setFlags(flags)));
  }

  private void set(long inode, ByteString name, String entries) {
    assertThat(set(inode, name, entries, 0).getErrno()).isZero();
  }

  private Reply remove(long inode, ByteString name) {
    return tree.run(
        Operation.newBuilder()
            .setRemoveXattr(RemoveXattr.newBuilder().setInode(inode).setName(name)));
  }

  private Reply get(long inode, ByteString name) {
    XattrQuery query = XattrQuery.newBuilder().setInode(inode).setName(name).build();
    return tree.namespace.query(Query.newBuilder().setXattr(query).build());
  }

  private void assertAcl(long inode, ByteString name, String entries) {
    assertThat(get(inode, name).getValue()).isEqualTo(list(entries));
  }

  private void assertNoAcl(long inode, ByteString name) {
    assertThat(errno(get(inode, name))).isEqualTo(Errno.ENODATA);
  }

  private int mode(long inode) {
    return tree.attributes(inode).getMode();
  }

  private void chmod(long inode, int mode) {
    tree.set(SetAttributes.newBuilder().setInode(inode).setMode(mode));
  }

  private long make(long parent, String name, FileType type, int mode, int umask) {
    Create.Builder create = Tree.creation(parent, name, type).setMode(mode).setUmask(umask);
    return inode(tree.create(create));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "u::7",
        "u::7 g::7",
        "g::7 o::7",
        "u::7 o::7",
        "u::7 g::8 o::7",
        "u::7 o::7 g::7",
        "u::7 u::7 g::7 o::7",
        "u::7 g::7 m::7 m::7 o::7",
        "u::7 u:5:7 g::7 o::7",
        "u::7 g::7 g:5:7 o::7",
        "u::7 g::7 u:5:7 m::7 o::7",
        "u::7 u:-1:7 g::7 m::7 o::7",
        "u::7 g::7 o::7 x::7",
        "u::7 x::7 g::7 o::7"
      })
  void whatIsNoListIsRefused(String entries) {
    long f = inode(tree.file(ROOT, "f"));
    assertThat(errno(set(f, Acl.ACCESS, entries, 0))).isEqualTo(Errno.EINVAL);
    assertThat(mode(f)).isEqualTo(0755);
    assertNoAcl(f, Acl.ACCESS);
  }

  @Test
  void brokenBytesAreRefused() {
    long f = inode(tree.file(ROOT, "f"));
    ByteString good = list("u::7 u:5:7 g::7 m::7 o::7");
    String name = Acl.ACCESS.toStringUtf8();
    for (int bytes = 0; bytes < good.size(); bytes++) {
      assertThat(errno(tree.setXattr(f, name, good.substring(0, bytes), 0)))
          .isEqualTo(Errno.EINVAL);
    }
    ByteString otherVersion = ByteString.copyFrom(new byte[] {3}).concat(good.substring(1));
    assertThat(errno(tree.setXattr(f, name, otherVersion, 0))).isEqualTo(Errno.EINVAL);
    ByteString large = ByteString.copyFrom(new byte[4097]);
    assertThat(errno(tree.setXattr(f, name, large, 0))).isEqualTo(Errno.E2BIG);
    assertThat(tree.setXattr(f, name, good, 0).getErrno()).isZero();
  }

  @Test
  void theModeFollowsTheList() {
    long f = inode(tree.file(ROOT, "f"));
    chmod(f, 06644);
    set(f, Acl.ACCESS, "u::7 u:1000:7 g::1 m::5 o::2");
    assertThat(mode(f)).isEqualTo(06752);
    assertAcl(f, Acl.ACCESS, "u::7 u:1000:7 g::1 m::5 o::2");
    assertThat(tree.attributes(f).getCtime().getSeconds()).isEqualTo(tree.now() / 1_000_000_000L);
    assertThat(set(f, Acl.ACCESS, "u::7 g::6 m::4 o::0", Metadata.ACL_KILL_SETGID).getErrno())
        .isZero();
    assertThat(mode(f)).isEqualTo(04740);
    set(f, Acl.ACCESS, "u::6 g::4 o::4");
    assertThat(mode(f)).isEqualTo(04644);
    assertNoAcl(f, Acl.ACCESS);
  }

  @Test
  void theListFollowsTheMode() {
    long f = inode(tree.file(ROOT, "f"));
    set(f, Acl.ACCESS, "u::7 u:1000:6 g::1 m::5 o::2");
    chmod(f, 0461);
    assertAcl(f, Acl.ACCESS, "u::4 u:1000:6 g::1 m::6 o::1");
    tree.set(SetAttributes.newBuilder().setInode(f).setUid(3));
    assertAcl(f, Acl.ACCESS, "u::4 u:1000:6 g::1 m::6 o::1");
    assertThat(mode(f)).isEqualTo(0461);
  }

  @Test
  void removingIsNoErrorAndLeavesTheMode() {
    long d = inode(tree.directory(ROOT, "d"));
    set(d, Acl.ACCESS, "u::7 u:1000:7 g::1 m::5 o::2");
    set(d, Acl.DEFAULT, "u::7 g::1 o::2");
    assertThat(remove(d, Acl.ACCESS).getErrno()).isZero();
    assertThat(remove(d, Acl.DEFAULT).getErrno()).isZero();
    assertThat(remove(d, Acl.DEFAULT).getErrno()).isZero();
    assertNoAcl(d, Acl.ACCESS);
    assertNoAcl(d, Acl.DEFAULT);
    assertThat(mode(d)).isEqualTo(0752);
    assertThat(tree.namespace.inodes().get(d).xattrs).isNull();
  }

  @Test
  void onlyDirectoriesHaveADefaultAndSymlinksNone() {
    long f = inode(tree.file(ROOT, "f"));
    long s = inode(tree.symlink(ROOT, "s"));
    assertThat(errno(set(f, Acl.DEFAULT, "u::7 g::1 o::2", 0))).isEqualTo(Errno.EACCES);
    assertThat(errno(set(s, Acl.ACCESS, "u::7 g::1 o::2", 0))).isEqualTo(Errno.EOPNOTSUPP);
    assertThat(errno(remove(s, Acl.ACCESS))).isEqualTo(Errno.EOPNOTSUPP);
  }

  @Test
  void theUmaskCountsWhereNoDefaultDoes() {
    assertThat(mode(make(ROOT, "f", FileType.FILE_TYPE_FILE, 04666, 027))).isEqualTo(04640);
    assertThat(mode(make(ROOT, "d", FileType.FILE_TYPE_DIRECTORY, 01777, 07077))).isEqualTo(01700);
  }

  @Test
  void whatIsMadeInheritsTheDefault() {
    long d = inode(tree.directory(ROOT, "d"));
    chmod(d, 02700);
    String given = "u::7 u:1000:7 g::5 g:100:7 m::7 o::1";
    set(d, Acl.DEFAULT, given);
    assertThat(mode(d)).as("untouched").isEqualTo(02700);
    long f = make(d, "f", FileType.FILE_TYPE_FILE, 0666, 077);
    assertAcl(f, Acl.ACCESS, "u::6 u:1000:7 g::5 g:100:7 m::6 o::0");
    assertThat(mode(f)).isEqualTo(0660);
    assertNoAcl(f, Acl.DEFAULT);
    long sub = make(d, "sub", FileType.FILE_TYPE_DIRECTORY, 0770, 077);
    assertAcl(sub, Acl.ACCESS, "u::7 u:1000:7 g::5 g:100:7 m::7 o::0");
    assertAcl(sub, Acl.DEFAULT, given);
    assertThat(mode(sub)).isEqualTo(02770);
    long s = make(d, "s", FileType.FILE_TYPE_SYMLINK, 0777, 0);
    assertThat(mode(s)).isEqualTo(0777);
    assertNoAcl(s, Acl.ACCESS);
    Xattrs first = tree.namespace.inodes().get(sub).xattrs;
    long again = make(d, "again", FileType.FILE_TYPE_DIRECTORY, 0770, 077);
    assertThat(tree.namespace.inodes().get(again).xattrs).as("kept once").isSameAs(first);
  }

  @Test
  void aDefaultThatIsAModeGivesAMode() {
    long d = inode(tree.directory(ROOT, "d"));
    set(d, Acl.DEFAULT, "u::6 g::5 o::4");
    long sub = make(d, "sub", FileType.FILE_TYPE_DIRECTORY, 0773, 077);
    assertThat(mode(sub)).isEqualTo(0650);
    assertNoAcl(sub, Acl.ACCESS);
    assertAcl(sub, Acl.DEFAULT, "u::6 g::5 o::4");
  }

  @Test
  void valuesAreReadAsTheyAreWritten() {
    ByteString value = list("u::7 u:0:0 u:1000:7 g::5 g:100:7 m::7 o::1");
    assertThat(Acl.parse(value).value()).isEqualTo(value);
    assertThatThrownBy(() -> Acl.parse(ByteString.EMPTY)).isInstanceOf(Refusal.class);
  }
}
