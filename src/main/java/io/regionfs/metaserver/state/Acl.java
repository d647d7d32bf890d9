package io.regionfs.metaserver.state;

import com.google.protobuf.ByteString;
import io.regionfs.model.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A POSIX access-control list: who else may do what with an inode. Immutable. Its form as a value
 * is that of linux/posix_acl_xattr.h, little-endian: a version, then entries of 8 bytes in this
 * order.
 *
 * <pre>
 * 0         4     6      8    12
 * | version | tag | rwx  | id | tag ...       owner, named users, group, named groups, mask, others
 * </pre>
 *
 * <p>Owner, others and the mask (the group, if there is no mask) are also the inode's mode, which
 * always agrees. Source: acl(5), and what Linux makes of a list in fs/posix_acl.c.
 */
final class Acl {
  static final ByteString ACCESS = ByteString.copyFromUtf8("system.posix_acl_access");

  /** Of a directory: what is made in it gets this list. */
  static final ByteString DEFAULT = ByteString.copyFromUtf8("system.posix_acl_default");

  private static final int VERSION = 2;
  private static final int HEADER_BYTES = 4;
  private static final int ENTRY_BYTES = 8;

  /** What a kernel has room for when it asks, with the smallest pages there are. */
  private static final int MAX_BYTES = 4096;

  private static final int OWNER = 1;
  private static final int USER = 1 << 1;
  private static final int GROUP = 1 << 2;
  private static final int NAMED_GROUP = 1 << 3;
  private static final int MASK = 1 << 4;
  private static final int OTHERS = 1 << 5;
  private static final int NO_ID = -1;
  private static final int RWX = 7;
  private static final int PERMISSIONS = 0777;

  private final int[] tags;
  private final int[] permissions;
  private final int[] ids;

  private Acl(int[] tags, int[] permissions, int[] ids) {
    this.tags = tags;
    this.permissions = permissions;
    this.ids = ids;
  }

  static boolean isName(ByteString name) {
    return name.equals(ACCESS) || name.equals(DEFAULT);
  }

  /** EINVAL if it is no list, or one without a part that it needs; E2BIG beyond 4 KiB. */
  static Acl parse(ByteString value) {
    if (value.size() > MAX_BYTES) {
      throw new Refusal(Errno.E2BIG, "ACL of " + value.size() + " bytes");
    }
    ByteBuffer bytes = value.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.remaining() < HEADER_BYTES
        || bytes.getInt() != VERSION
        || bytes.remaining() % ENTRY_BYTES != 0) {
      throw new Refusal(Errno.EINVAL, "not an ACL of version " + VERSION);
    }
    int count = bytes.remaining() / ENTRY_BYTES;
    Acl acl = new Acl(new int[count], new int[count], new int[count]);
    for (int i = 0; i < count; i++) {
      acl.tags[i] = bytes.getShort() & 0xFFFF;
      acl.permissions[i] = bytes.getShort() & 0xFFFF;
      int id = bytes.getInt();
      acl.ids[i] = acl.isNamed(i) ? id : NO_ID;
    }
    acl.check();
    return acl;
  }

  private boolean isNamed(int at) {
    return tags[at] == USER || tags[at] == NAMED_GROUP;
  }

  private void check() {
    int seen = 0;
    int last = 0;
    for (int i = 0; i < tags.length; i++) {
      int tag = tags[i];
      boolean known = Integer.bitCount(tag) == 1 && tag <= OTHERS;
      if (!known || tag < last || (tag == last && !isNamed(i))) {
        throw new Refusal(Errno.EINVAL, "ACL with tag " + tag + " after " + last);
      }
      if ((permissions[i] & ~RWX) != 0 || (isNamed(i) && ids[i] == NO_ID)) {
        throw new Refusal(Errno.EINVAL, "ACL with a wrong entry");
      }
      seen |= tag;
      last = tag;
    }
    int needed = OWNER | GROUP | OTHERS | ((seen & (USER | NAMED_GROUP)) != 0 ? MASK : 0);
    if ((seen & needed) != needed) {
      throw new Refusal(Errno.EINVAL, "ACL without owner, group, others or mask");
    }
  }

  ByteString value() {
    ByteBuffer bytes =
        ByteBuffer.allocate(HEADER_BYTES + tags.length * ENTRY_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(VERSION);
    for (int i = 0; i < tags.length; i++) {
      bytes.putShort((short) tags[i]).putShort((short) permissions[i]).putInt(ids[i]);
    }
    return ByteString.copyFrom(bytes.flip());
  }

  /** It says no more than a mode does. */
  boolean isMode() {
    for (int tag : tags) {
      if ((tag & (USER | NAMED_GROUP | MASK)) != 0) {
        return false;
      }
    }
    return true;
  }

  private boolean hasMask() {
    return tags[tags.length - 2] == MASK;
  }

  /** How far left the mode has what this entry says, or -1 if the mode says nothing of it. */
  private int shift(int at) {
    return switch (tags[at]) {
      case OWNER -> 6;
      case GROUP -> hasMask() ? -1 : 3;
      case MASK -> 3;
      case OTHERS -> 0;
      default -> -1;
    };
  }

  /** The mode of an inode with this list that had that mode before. */
  int mode(int before) {
    int mode = before & ~PERMISSIONS;
    for (int i = 0; i < tags.length; i++) {
      int shift = shift(i);
      mode |= shift < 0 ? 0 : permissions[i] << shift;
    }
    return mode;
  }

  /** The list after chmod. */
  Acl withMode(int mode) {
    int[] changed = permissions.clone();
    for (int i = 0; i < tags.length; i++) {
      int shift = shift(i);
      changed[i] = shift < 0 ? changed[i] : (mode >> shift) & RWX;
    }
    return new Acl(tags, changed, ids);
  }

  /** What a new inode gets from this default list, made with that mode: no more than both allow. */
  Acl forNew(int mode) {
    return withMode(mode(0) & mode);
  }
}
